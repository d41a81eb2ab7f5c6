// Signal descriptors (signalfd): reading one takes signals that are pending for the reading thread or its process, among
// those of its mask, which the program keeps blocked.
//
// The level `readable` follows what is pending: whoever sends a signal raises it (SignalFiles::tell, after the signal is
// in the set and the lock of the threads is dropped), and whoever looks or reads and finds nothing for himself lowers
// it. Both do it under the lock of the process's signal files, so none is lost between a look and a signal. What is sent
// to one thread is told to all who watch, and found by that thread alone.
// A descriptor is told by the process that made it, also where another one has inherited it.
#include "personality/linux/anonymous_file.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {

class SignalFile final : public OpenFile {
public:
    SignalFile(Reservation charge, Ref<SignalFiles> files, std::uint64_t inode)
        : OpenFile(std::move(charge), {}, FileKind::signals), files_(std::move(files)), inode_(inode) {}
    ~SignalFile() override {
        if (is_listed_) files_->remove(*this);
    }
    [[nodiscard]] event::Source* source() override { return &source_; }
    [[nodiscard]] Stat info() const override { return anonymous_info(0600, inode_); }
    [[nodiscard]] bool is_seekable() const override { return false; }

    // For the thread that asks.
    [[nodiscard]] std::uint64_t ready() override {
        // SAFETY of the downcast: whoever looks at a Linux file is a thread of a Linux process.
        auto& process = static_cast<LinuxProcess&>(Process::current().personality());
        const LinuxThread& data = data_of(Thread::current());
        SignalFiles::Lock::Guard guard(files_->lock);
        const bool is_pending = ((data.pending.load() | process.process_pending.load()) & mask_.load()) != 0;
        if (is_pending) {
            source_.set(kSignalReadable);
        } else {
            source_.clear(kSignalReadable);
        }
        return is_pending ? kSignalReadable : 0;
    }

    Outcome write(Call&, UserIn<std::byte>, std::uint64_t) override { return refuse(kInvalid); }
    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        const std::uint64_t room = bytes / sizeof(SignalRecord);
        if (room == 0) return refuse(kInvalid);
        const UserOut<SignalRecord> out(to.address());
        SignalInfo info;
        LINUX_TRY(wait_for(call, *this, readers_, [&] { return take_pending_among(call, mask_, info); }));
        std::uint64_t done = 0;
        do {
            SignalRecord record{};
            record.signal = static_cast<std::uint32_t>(info.signal);
            record.code = info.code;
            if (info.code == kCodeTimer) {
                record.tid = static_cast<std::uint32_t>(info.sender);
                record.overrun = static_cast<std::uint32_t>(info.overrun);
                record.pointer = info.value;
                record.number = static_cast<std::int32_t>(info.value);
            } else {
                record.pid = static_cast<std::uint32_t>(info.sender);
                record.uid = static_cast<std::uint32_t>(info.overrun);
                if (info.code < 0) { // sigqueue and its kin
                    record.pointer = info.value;
                    record.number = static_cast<std::int32_t>(info.value);
                } else if (info.signal == kSigChild) {
                    record.status = static_cast<std::int32_t>(info.value);
                }
            }
            if (!out.write(record, done)) return done != 0 ? Outcome(done * sizeof(record)) : refuse(kFault);
            ++done;
        } while (done < room && take_pending_among(call, mask_, info));
        (void)ready();
        return done * sizeof(SignalRecord);
    }

    [[nodiscard]] bool list() {
        is_listed_ = files_->add(*this);
        return is_listed_;
    }
    void set_mask(std::uint64_t mask) {
        mask_ = mask & ~kUnblockable;
        if (ready() != 0) readers_.wake_all();
    }
    // From SignalFiles, which holds the lock.
    enum class Wake : bool { one, all };
    void hear(std::uint64_t signals, Wake wake) {
        files_->lock.assert_held();
        if ((signals & mask_.load()) == 0) return;
        source_.set(kSignalReadable);
        wake == Wake::all ? readers_.wake_all() : readers_.wake_one();
    }

private:
    const Ref<SignalFiles> files_;
    const std::uint64_t inode_;
    bool is_listed_ = false;
    std::atomic<std::uint64_t> mask_{0};
    event::Source source_;
    sched::WaitQueue readers_;
};

Result<Ref<SignalFiles>> SignalFiles::of(LinuxProcess& process) {
    SignalFiles* there = process.signal_files.load(std::memory_order_acquire);
    if (there == nullptr) {
        Reservation charge = TRY(Reservation::make(process.quota(), Resource::memory, mm::cost_of<SignalFiles>));
        auto made = Ref<SignalFiles>::adopt(TRY(mm::make<SignalFiles>(std::move(charge))));
        // Another thread may be faster: then ours ends.
        if (process.signal_files.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel))
            there = made.leak(); // the process's reference
    }
    return Ref<SignalFiles>::share(*there);
}

bool SignalFiles::add(SignalFile& file) {
    Lock::Guard guard(lock);
    for (SignalFile*& place : files_) {
        if (place != nullptr) continue;
        place = &file;
        return true;
    }
    return false;
}

void SignalFiles::remove(SignalFile& file) {
    Lock::Guard guard(lock);
    for (SignalFile*& place : files_)
        if (place == &file) place = nullptr;
}

void SignalFiles::tell(std::uint64_t signals) {
    for (unsigned i = 0; i < kMost; ++i) {
        Lock::Guard guard(lock);
        if (files_[i] != nullptr) files_[i]->hear(signals, SignalFile::Wake::all);
    }
}

void SignalFiles::tell_one(unsigned index, std::uint64_t signals) {
    Lock::Guard guard(lock);
    if (files_[index] != nullptr) files_[index]->hear(signals, SignalFile::Wake::one);
}

Outcome call_signalfd4(Call& call, Descriptor fd, UserIn<std::uint64_t> mask, SignalSetBytes set_bytes,
                       Flags<kFileFlags> flags) {
    constexpr Descriptor kNew(~0ull);
    if (!set_bytes.is_answered()) return refuse(kInvalid);
    const std::uint64_t wanted = LINUX_TRY(mask.read());
    if (fd != kNew) {
        const auto file = LINUX_TRY(file_of(call, fd));
        if (file->kind() != FileKind::signals) return refuse(kInvalid);
        static_cast<SignalFile&>(*file).set_mask(wanted); // SAFETY of the downcast: its kind
        return fd.number;
    }
    auto files = LINUX_TRY(SignalFiles::of(call.process));
    auto file = LINUX_TRY(make_file<SignalFile>(call, std::move(files), call.process.family().new_inode()));
    if (!file->list()) return refuse(kTooManyFiles);
    file->set_mask(wanted);
    return install(call, std::move(file), flags.bits);
}

Outcome call_signalfd(Call& call, Descriptor fd, UserIn<std::uint64_t> mask, std::uint64_t set_bytes) {
    return call_signalfd4(call, fd, mask, SignalSetBytes(set_bytes), Flags<kFileFlags>(0));
}

} // namespace aios::linux_abi
