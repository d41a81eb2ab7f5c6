#include "tools/aios/record/boot_lines.hpp"

#include "base/bytes.hpp"
#include "base/cbor.hpp"

namespace aios::host {

bool BootLines::frames(std::string_view bytes) {
    const auto fed = reader_.feed(bytes, [this](const Frame& frame) -> Outcome<> {
        HOST_TRY(take_frame(frame, 0, record_, {}));
        if (frame.kind != FrameKind::console) return {};
        cbor::Decoder in(frame.body);
        const auto text = in.bytes();
        if (!text) return failure(Exit::failed_inside, "console text is not a byte string.");
        consoles_.try_emplace(frame.agent, take_).first->second.feed(as_text(*text));
        return {};
    });
    if (!fed) broken_ = fed.error().sentence;
    return fed.has_value();
}

void BootLines::finish() {
    serial_.finish();
    for (auto& [agent, lines] : consoles_)
        lines.finish();
}

} // namespace aios::host
