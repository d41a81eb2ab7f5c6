// Open files of generated names. See generated_file.hpp.
#include "personality/linux/generated_file.hpp"

#include "kernel/mm/size_classes.hpp"
#include "personality/linux/device_file.hpp"
#include "personality/linux/text.hpp"
#include "personality/linux/transfer.hpp"
#include "personality/linux/tree_file.hpp"

namespace aios::linux_abi {

namespace {

// Text, or a name that is only looked at.
class GeneratedText final : public OpenFile {
public:
    GeneratedText(mm::OnHeap, Reservation charge, const GeneratedNode& node, HeldText path, const Stat& info,
                  Payer& payer)
        : OpenFile(std::move(charge)), node_(node), path_(std::move(path)), info_(info),
          payer_(Ref<Payer>::share(payer)), text_(payer) {}

    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        if (node_.row->kind != RowKind::file) return refuse(kBadFd);
        for (bool is_fresh = false;;) { // twice, where another thread goes back to the start meanwhile
            if (position_.load() == 0 || !has_text_) {
                if (const Errno error = make(call.process); error != Errno{}) return refuse(error);
                is_fresh = true;
            }
            PositionLock::Guard guard(position_lock_);
            if (position_.load() == 0 && !is_fresh) continue;
            const std::uint64_t done = LINUX_TRY(copy(to, bytes, position_));
            position_ += done;
            return done;
        }
    }
    Outcome read_at(Call& call, UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t offset) override {
        if (node_.row->kind != RowKind::file) return refuse(kBadFd);
        if (offset == 0 || !has_text_) {
            if (const Errno error = make(call.process); error != Errno{}) return refuse(error);
        }
        PositionLock::Guard guard(position_lock_);
        return copy(to, bytes, offset);
    }
    Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) override {
        if (node_.row->write == nullptr) return refuse(kIo);
        std::byte text[kMostWritten];
        if (bytes > sizeof(text)) return refuse(kInvalid);
        LINUX_TRY(from.read_array(0, text, bytes));
        const Errno error = put(call, Bytes(text, bytes));
        return error == Errno{} ? Outcome(bytes) : refuse(error);
    }
    Errno put(Call& call, Bytes bytes) override {
        if (node_.row->write == nullptr) return kIo;
        if (bytes.size() > kMostWritten) return kInvalid;
        // SAFETY: bytes as characters.
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return node_.row->write({call.process, node_}, text);
    }
    Outcome seek(std::int64_t offset, std::uint32_t whence) override {
        if (whence != kSeekSet && whence != kSeekCurrent) return refuse(kInvalid);
        PositionLock::Guard guard(position_lock_);
        std::int64_t result = 0;
        const std::uint64_t base = whence == kSeekSet ? 0 : position_.load();
        if (__builtin_add_overflow(static_cast<std::int64_t>(base), offset, &result)) return refuse(kOverflow);
        if (result < 0) return refuse(kInvalid);
        position_ = static_cast<std::uint64_t>(result);
        return position_.load();
    }
    [[nodiscard]] Stat info() const override { return info_; }
    [[nodiscard]] bool is_link() const override { return node_.is_link(); }
    [[nodiscard]] bool may(Rights rights) const override {
        return !rights.contains(rights::write) || node_.row->write != nullptr;
    }
    [[nodiscard]] std::string_view path() const override { return path_.view(); }
    std::expected<Ref<OpenFile>, Errno> reopen(LinuxProcess& caller) override {
        if (node_.row->kind == RowKind::device) return open_device(caller, node_);
        return open_generated_file(caller, node_, path());
    }

private:
    using PositionLock = sync::Mutex<sync::Rank::open_file>;

    Errno make(LinuxProcess& caller) {
        Text fresh(*payer_);
        if (const Errno error = node_.row->make({caller, node_}, fresh); error != Errno{}) return error;
        if (fresh.error() != Errno{}) return fresh.error();
        PositionLock::Guard guard(position_lock_);
        text_.swap(fresh);
        has_text_ = true;
        return Errno{};
    }
    Outcome copy(UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t offset) AIOS_REQUIRES(position_lock_) {
        const std::string_view text = text_.view();
        if (offset >= text.size()) return 0;
        const std::uint64_t part = std::min<std::uint64_t>(bytes, text.size() - offset);
        LINUX_TRY(to.write_array(0, std::as_bytes(std::span(text)).data() + offset, part));
        return part;
    }

    const GeneratedNode node_;
    const HeldText path_;
    const Stat info_;        // when it was opened
    const Ref<Payer> payer_; // of the text: whoever opened the file
    PositionLock position_lock_;
    std::atomic<std::uint64_t> position_{0}; // changed under position_lock_
    std::atomic<bool> has_text_{false};      // somebody has read; until then any offset makes it
    Text text_ AIOS_GUARDED_BY(position_lock_);
};

class GeneratedDirectory final : public DirectoryFile {
public:
    GeneratedDirectory(mm::OnHeap on_heap, Reservation charge, const GeneratedNode& node, HeldText path,
                       const Stat& info)
        : DirectoryFile(on_heap, std::move(charge), {}, {}, {}, std::move(path)), node_(node), info_(info) {}
    [[nodiscard]] Stat info() const override { return info_; }
    [[nodiscard]] bool is_listed_under_lock() const override { return false; }

private:
    std::expected<bool, Errno> entry_at(LinuxProcess& process, std::uint64_t position,
                                        ListedEntry& out) const override {
        if (!is_there({process, node_})) return std::unexpected(kNoEntry);
        if (dots_at(position, info_.inode, out)) return true;
        const bool found = LINUX_TRY(entry_of({process, node_}, position - kFirstPosition, out));
        if (found) out.next_position += kFirstPosition;
        return found;
    }
    const GeneratedNode node_;
    const Stat info_; // when it was opened
};

} // namespace

std::expected<Ref<OpenFile>, Errno> open_generated_file(LinuxProcess& caller, const GeneratedNode& node,
                                                        std::string_view path) {
    Payer& payer = caller.quota();
    HeldText held = LINUX_TRY(HeldText::copy(payer, path));
    const Stat info = info_of({caller, node});
    if (node.is_directory()) {
        Reservation charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<GeneratedDirectory>));
        return Ref<OpenFile>::adopt(
            LINUX_TRY(mm::make<GeneratedDirectory>(std::move(charge), node, std::move(held), info)));
    }
    Reservation charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<GeneratedText>));
    return Ref<OpenFile>::adopt(
        LINUX_TRY(mm::make<GeneratedText>(std::move(charge), node, std::move(held), info, payer)));
}

} // namespace aios::linux_abi
