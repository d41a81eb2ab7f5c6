// What goes between a program's Streams and the host: its output in messages, its input in pieces (abi/input.hpp).
//
// Two threads take the input. The first listens to the host and puts each piece into a Stream between the two, which has room
// for all that the host may have on the way (kInputWindow): so it never waits, and hears `stop` whatever the program reads.
// The second passes the pieces on, waits for the program, and tells the host how much has gone.
#pragma once

#include <atomic>

#include "abi/input.hpp"
#include "runtime/kernel/calls.hpp"
#include "runtime/kernel/handle.hpp"

namespace aios::runner {

struct Ends {
    OwnedHandle reader, writer;
};
[[nodiscard]] Result<Ends> make_stream(Handle self);

// Tells the host one piece of what lies in the stream.
enum class Relayed : std::uint8_t { piece, nothing, end }; // end: nothing more will come
[[nodiscard]] Relayed relay_output(Handle host, Handle reader, std::uint64_t stream);

// Ends the program before it ends itself; the first reason counts.
class Cut {
public:
    void cut(Handle child, ProgramCut why) {
        ProgramCut none = ProgramCut::none;
        if (!why_.compare_exchange_strong(none, why)) return;
        (void)sys::agent_kill(child, static_cast<std::uint64_t>(EndReason::killed));
    }
    [[nodiscard]] ProgramCut why() const { return why_.load(); }

private:
    std::atomic<ProgramCut> why_{ProgramCut::none};
};

enum class Heads : bool { dropped, passed_on }; // of pieces: the program that gives a terminal wants them

// Until the program has read its input to the end, or nobody reads it any more; what comes then is thrown away, so that the
// host need not wait. Stays as long as the program.
struct Input {
    Handle host = kNoHandle, child = kNoHandle;
    Cut* cut = nullptr;
    Heads heads = Heads::dropped;
    OwnedHandle writer; // the program's
    Ends between{};
};
[[nodiscard]] Result<> start_input(Handle self, Input& input);

} // namespace aios::runner
