// The guest's frames (abi/messages.cddl, section 2): a stream of bytes in pieces of any size becomes checked frames.
// What the guest sends is not trusted: every length is bounded before it is used, and the first broken frame ends the
// stream.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "abi/frames.hpp"
#include "base/types.hpp"
#include "tools/aios/host/outcome.hpp"

namespace aios::host {

struct Frame {
    FrameKind kind;
    std::uint64_t agent;
    std::string_view name;
    Bytes body; // one encoded CBOR item, valid during the call that hands the frame over
};

class FrameReader {
public:
    // Hands each whole frame of the stream to `take`, whose failure ends the stream as a broken frame does.
    [[nodiscard]] Outcome<> feed(std::string_view bytes, const std::function<Outcome<>(const Frame&)>& take);

    // At the end of the stream: refuses if it stopped inside a frame.
    [[nodiscard]] Outcome<> finish() const;

    [[nodiscard]] std::uint64_t frames() const { return frames_; }

private:
    // Bytes of `rest` used up: a whole frame, or 0 if more must come first.
    [[nodiscard]] Outcome<std::size_t> read_one(std::string_view rest,
                                                const std::function<Outcome<>(const Frame&)>& take);

    std::string pending_;
    std::uint64_t frames_ = 0;
};

// A frame as the guest would send it; for tests and tools.
[[nodiscard]] std::string encode_frame(FrameKind kind, std::uint64_t agent, std::string_view name, Bytes body);

} // namespace aios::host
