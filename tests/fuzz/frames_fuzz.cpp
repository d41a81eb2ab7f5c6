// The guest's frames on the host: any bytes, in pieces, are either taken or refused, without a crash and within bounds.
#include <cstdint>

#include "tools/aios/record/frames.hpp"
#include "tools/aios/record/record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aios::host;
    // SAFETY: bytes may be read as characters.
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    RunRecord record;
    const RunEvents events;
    FrameReader reader;
    while (!rest.empty()) {
        const std::size_t piece = 1 + static_cast<unsigned char>(rest[0]);
        const auto fed = reader.feed(rest.substr(0, piece),
                                     [&](const Frame& frame) { return take_frame(frame, 3, record, events); });
        if (!fed) break;
        rest.remove_prefix(std::min(piece, rest.size()));
    }
    // The same bytes as the body of a frame that is otherwise whole.
    for (std::uint64_t kind = 1; kind <= 8; ++kind) {
        const Frame frame{static_cast<aios::FrameKind>(kind), 1, "agent", std::as_bytes(std::span(data, size))};
        static_cast<void>(take_frame(frame, 3, record, events));
    }
    return 0;
}
