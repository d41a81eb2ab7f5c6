// The signal descriptors of a process, to be told of each signal that is sent. At most kMost, so that a sender's walk is
// bounded; each is told under a hold of the lock of its own. Outlives the process where another one has inherited a
// descriptor. Lock: Rank::timer_file, as a timer's signal tells from its interrupt, under Rank::timer_queue; a source is
// told after it.
#pragma once

#include "base/ref.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::linux_abi {

class LinuxProcess;
class SignalFile;

class SignalFiles {
public:
    static constexpr unsigned kMost = 64;
    using Lock = sync::SpinLock<sync::Rank::timer_file>;

    // The process's, made if there are none yet.
    static Result<Ref<SignalFiles>> of(LinuxProcess& process);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }
    bool add(SignalFile& file); // false: there are kMost
    void remove(SignalFile& file);
    // `signals` have been made pending. Under no lock but those before the own.
    void tell(std::uint64_t signals);
    // The same for one of them, from an interrupt: wakes one reader. `index` is below kMost.
    void tell_one(unsigned index, std::uint64_t signals);

    Lock lock;

    SignalFiles(mm::OnHeap, Reservation charge) : charge_(std::move(charge)) {}
    ~SignalFiles() = default;

private:
    RefCount references_;
    Reservation charge_;
    SignalFile* files_[kMost] AIOS_GUARDED_BY(lock){};
};

} // namespace aios::linux_abi
