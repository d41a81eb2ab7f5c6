// What goes between a program's Streams and the host: its output in messages, its input in pieces (abi/frames.hpp).
#pragma once

#include "abi/frames.hpp"
#include "runtime/kernel/calls.hpp"
#include "runtime/kernel/handle.hpp"

namespace aios::runner {

// Tells the host one piece of what lies in the stream.
enum class Relayed : std::uint8_t { piece, nothing, end }; // end: nothing more will come
[[nodiscard]] Relayed relay_output(Handle host, Handle reader, std::uint64_t stream);

// A thread of its own: takes the program's input from the host until it ends, or nobody reads it any more. Then it takes the
// rest and throws it away, so that the host need not wait. Ends with the program.
struct Input {
    Handle host = kNoHandle;
    OwnedHandle writer;
};
[[nodiscard]] Result<> start_input(Handle self, Input& input);

} // namespace aios::runner
