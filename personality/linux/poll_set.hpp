// The open files that one call waits for (poll, select), each with what is wanted of it, and the thread that waits. Small
// sets lie on the stack, the rest in pieces on the heap, charged for the length of the call.
//     PollSet set(process);
//     TRY(set.add(file, wanted))...
//     look at set.ready(i); if nothing is ready: set.watch() once, and then look and set.wait() in turns.
// Holds always: what becomes ready after watch() ends the next wait, so looking first and waiting then loses nothing.
#pragma once

#include <optional>

#include "kernel/event/watch.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {

// What the levels of a source mean to poll, select and epoll.
[[nodiscard]] std::uint32_t poll_bits(std::uint64_t signals);
// What is to be watched for these bits; the end and an error always are.
[[nodiscard]] std::uint64_t signals_for(std::uint32_t bits);

class PollSet {
public:
    explicit PollSet(LinuxProcess& process) : process_(process) {}
    PollSet(const PollSet&) = delete;
    ~PollSet();
    // At most kMaxFiles. kNoMemory.
    Errno add(Ref<OpenFile> file, std::uint32_t bits);
    [[nodiscard]] std::size_t size() const { return count_; }
    // The bits that the i-th file is ready for, among those wanted, errors and ends.
    [[nodiscard]] std::uint32_t ready(std::size_t i);
    // From here on changes are noticed. kNoMemory: a file is watched by as many as can be (event::kMaxRegistrations).
    Errno watch();
    sched::Outcome wait(sched::Deadline deadline) { return waiter_.wait(deadline); }

private:
    struct Slot {
        Ref<OpenFile> file;
        std::uint32_t bits = 0;
        std::optional<event::Watch> watch;
    };
    static constexpr std::size_t kFew = 4, kOfPiece = 32;
    struct Piece {
        explicit Piece(Reservation reservation) : charge(std::move(reservation)) {}
        ~Piece() = default;
        Reservation charge;
        Slot slots[kOfPiece];
    };
    Slot& slot(std::size_t i);

    LinuxProcess& process_;
    event::Waiter waiter_; // before the slots: it is told until they have gone
    std::size_t count_ = 0;
    Slot few_[kFew];
    mm::Owned<Piece> pieces_[(kMaxFiles + kOfPiece - 1) / kOfPiece];
};

} // namespace aios::linux_abi
