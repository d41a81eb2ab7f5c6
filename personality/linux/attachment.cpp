// See attachment.hpp.
#include "personality/linux/attachment.hpp"

#include <algorithm>

#include "kernel/mm/size_classes.hpp"
#include "personality/linux/socket_file.hpp"

namespace aios::linux_abi {
namespace {

struct ControlHead { // struct cmsghdr
    std::uint64_t bytes;
    std::int32_t level, type;
};
constexpr std::int32_t kRights = 1, kCredentials = 2; // SCM_... of SOL_SOCKET
constexpr std::uint64_t kMostControl = 20'480;

constexpr std::uint64_t aligned(std::uint64_t bytes) { return (bytes + 7) / 8 * 8; }

} // namespace

std::expected<mm::Owned<Attachment>, Errno> Attachment::fetch(Call& call, const MessageHeader& message) {
    if (message.control_bytes > kMostControl) return std::unexpected(kNoBuffers);
    Quota& quota = call.process.quota();
    mm::Owned<Attachment> made;
    for (std::uint64_t at = 0; at + sizeof(ControlHead) <= message.control_bytes;) {
        const auto head = LINUX_TRY(UserIn<ControlHead>(message.control + at).read());
        if (head.bytes < sizeof(head) || head.bytes > message.control_bytes - at) return std::unexpected(kInvalid);
        const std::uint64_t data = message.control + at + sizeof(head), bytes = head.bytes - sizeof(head);
        at += aligned(head.bytes);
        if (head.level != kLevelSocket) continue;
        if (!made) {
            Reservation charge = LINUX_TRY(Reservation::make(quota, Resource::memory, mm::cost_of<Attachment>));
            made = LINUX_TRY(mm::own<Attachment>(std::move(charge), call.process.family().sockets));
        }
        if (head.type == kRights) {
            const Errno error = made->add_files(call, UserIn<std::int32_t>(data), bytes / sizeof(std::int32_t));
            if (error != Errno{}) return std::unexpected(error);
        } else if (head.type == kCredentials) {
            if (bytes != sizeof(Credentials)) return std::unexpected(kInvalid);
            const auto says = LINUX_TRY(UserIn<Credentials>(data).read());
            if (says.process != call.process.pid() || says.user != 0 || says.group != 0) return std::unexpected(kPerm);
            made->credentials = says;
        } else {
            return std::unexpected(kInvalid);
        }
    }
    return made;
}

Errno Attachment::add_files(Call& call, UserIn<std::int32_t> numbers, std::uint64_t count) {
    if (count > kMostFiles - count_) return kInvalid;
    if (!space_->takes_off(count)) return kTooManyReferences;
    const unsigned before = count_;
    for (std::uint64_t i = 0; i < count; ++i) {
        std::int32_t number = 0;
        Errno error = numbers.read_array(i, &number, 1) ? Errno{} : kFault;
        if (error == Errno{}) {
            auto file = file_of(call, Descriptor(static_cast<std::uint64_t>(number)));
            const bool is_unix = file && (*file)->kind() == FileKind::socket &&
                                 static_cast<SocketFile&>(**file).is_unix(); // its kind says so
            error = !file ? file.error() : is_unix ? kTooManyReferences : Errno{};
            if (error == Errno{}) files_[count_++] = std::move(*file);
        }
        if (error != Errno{}) { // those that were added are given back with the attachment
            space_->landed(count - (count_ - before));
            return error;
        }
    }
    return Errno{};
}

void AttachmentList::add(mm::Owned<Attachment>& attachment, std::uint64_t position) {
    Lock::Guard guard(lock_);
    if (is_dropped_) return;
    attachment->position = position;
    list_.push_back(*attachment.release());
}

std::uint64_t AttachmentList::bound(std::uint64_t position, std::uint64_t bytes) {
    Lock::Guard guard(lock_);
    const Attachment* next = list_.front();
    if (next != nullptr && next->position == position) next = list_.next(*next);
    return next == nullptr ? bytes : std::min(bytes, next->position - position);
}

mm::Owned<Attachment> AttachmentList::take(std::uint64_t position) {
    Lock::Guard guard(lock_);
    Attachment* const first = list_.front();
    if (first == nullptr || first->position != position) return {};
    list_.remove(*first);
    return mm::Owned<Attachment>(first);
}

void AttachmentList::drop() {
    for (;;) {
        mm::Owned<Attachment> gone; // ends outside the lock
        Lock::Guard guard(lock_);
        is_dropped_ = true;
        gone = mm::Owned<Attachment>(list_.pop_front());
        if (!gone) return;
    }
}

namespace {

// Writes control messages into the room that there is.
class ControlWriter {
public:
    explicit ControlWriter(MessageHeader& message) : message_(message), room_(message.control_bytes) {}
    // Room for the data of the next one.
    [[nodiscard]] std::uint64_t room() const {
        return room_ - used_ < sizeof(ControlHead) ? 0 : room_ - used_ - sizeof(ControlHead);
    }
    [[nodiscard]] std::uint64_t data() const { return message_.control + used_ + sizeof(ControlHead); }
    Outcome finish(std::int32_t type, std::uint64_t bytes) {
        const ControlHead head{sizeof(ControlHead) + bytes, kLevelSocket, type};
        LINUX_TRY(UserOut<ControlHead>(message_.control + used_).write(head));
        used_ = std::min(room_, used_ + aligned(head.bytes));
        return 0;
    }
    void cut() { message_.flags |= kMessageControlTruncated; }
    [[nodiscard]] std::uint64_t used() const { return used_; }

private:
    MessageHeader& message_;
    const std::uint64_t room_;
    std::uint64_t used_ = 0;
};

// One descriptor, told at `to`, or none.
Errno tell_file(Call& call, const Ref<OpenFile>& file, OnExec on_exec, UserOut<std::int32_t> to) {
    LinuxProcess& process = call.process;
    std::uint64_t fd = 0;
    {
        LinuxProcess::Lock::Guard guard(process.lock);
        const auto added = process.files.add(process.quota(), file, on_exec);
        if (!added) return added.error();
        fd = *added;
    }
    if (to.write(static_cast<std::int32_t>(fd))) return Errno{};
    Ref<OpenFile> gone;
    {
        LinuxProcess::Lock::Guard guard(process.lock);
        const auto there = process.files.get(Descriptor(fd)); // another thread may have put something else there
        if (there && *there == file) gone = process.files.remove(Descriptor(fd));
    }
    if (gone) drop_record_locks(process, *gone); // it may have locked it too
    return kFault;
}

} // namespace

Outcome tell_attachment(Call& call, MessageHeader& message, const Attachment* attachment,
                        std::optional<Credentials> credentials, OnExec on_exec) {
    ControlWriter writer(message);
    if (credentials) {
        if (writer.room() >= sizeof(Credentials)) {
            LINUX_TRY(UserOut<Credentials>(writer.data()).write(*credentials));
            LINUX_TRY(writer.finish(kCredentials, sizeof(Credentials)));
        } else {
            writer.cut();
        }
    }
    if (attachment != nullptr && !attachment->files().empty()) {
        const auto files = attachment->files();
        const std::uint64_t fitting = std::min<std::uint64_t>(files.size(), writer.room() / sizeof(std::int32_t));
        std::uint64_t told = 0;
        for (; told < fitting; ++told) {
            const UserOut<std::int32_t> to(writer.data() + told * sizeof(std::int32_t));
            if (tell_file(call, files[told], on_exec, to) != Errno{}) break;
        }
        if (told != 0) LINUX_TRY(writer.finish(kRights, told * sizeof(std::int32_t)));
        if (told < files.size()) writer.cut();
    }
    message.control_bytes = writer.used();
    return 0;
}

} // namespace aios::linux_abi
