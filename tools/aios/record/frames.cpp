#include "tools/aios/record/frames.hpp"

#include <algorithm>
#include <format>
#include <vector>

#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "messages/view.hpp"

namespace aios::host {

namespace {

std::unexpected<Failure> broken(std::uint64_t number, std::string_view why) {
    return failure(Exit::failed_inside,
                   std::format("frame {} from the guest is broken: {}; this is a fault of AIOS.", number, why));
}

Result<Frame> decode_payload(Bytes payload) {
    const auto frame = TRY(messages::decode<messages::view::Frame>(payload));
    return Frame{static_cast<FrameKind>(frame.kind), frame.agent, frame.name, frame.body.item};
}

} // namespace

Outcome<std::size_t> FrameReader::read_one(std::string_view rest, const std::function<Outcome<>(const Frame&)>& take) {
    const std::size_t compared = std::min(rest.size(), kFrameMagic.size());
    if (rest.substr(0, compared) != kFrameMagic.substr(0, compared))
        return broken(frames_, "it does not start with AIOF");
    if (rest.size() < kFrameHead) return 0;
    const Bytes head = as_bytes(rest);
    const std::size_t length = load_le<std::uint32_t>(head.data() + 4);
    if (length > kMaxFramePayload) return broken(frames_, std::format("its length is {}", length));
    if (rest.size() < kFrameHead + length) return 0;
    const Bytes payload = head.subspan(kFrameHead, length);
    if (crc32c(payload) != load_le<std::uint32_t>(head.data() + 8)) return broken(frames_, "its checksum is wrong");
    const auto frame = decode_payload(payload);
    if (!frame) return broken(frames_, error_info(frame.error()).sentence);
    HOST_TRY(take(*frame));
    ++frames_;
    return kFrameHead + length;
}

Outcome<> FrameReader::feed(std::string_view bytes, const std::function<Outcome<>(const Frame&)>& take) {
    pending_ += bytes;
    std::string_view rest = pending_;
    while (!rest.empty()) {
        const std::size_t used = HOST_TRY(read_one(rest, take));
        if (used == 0) break;
        rest.remove_prefix(used);
    }
    pending_.erase(0, pending_.size() - rest.size());
    return {};
}

Outcome<> FrameReader::finish() const {
    if (!pending_.empty()) return broken(frames_, "the stream ends inside it");
    return {};
}

std::string encode_frame(FrameKind kind, std::uint64_t agent, std::string_view name, Bytes body) {
    std::vector<std::byte> payload(body.size() + name.size() + 64);
    messages::view::Frame inside{.kind = static_cast<std::uint64_t>(kind), .agent = agent, .name = name, .body = {}};
    inside.body.item = body;
    const auto encoded = messages::encode(payload, inside);
    if (!encoded) return {};
    std::string frame(kFrameHead, '\0');
    std::byte head[8];
    store_le(head, static_cast<std::uint32_t>(encoded->size()));
    store_le(head + 4, crc32c(*encoded));
    frame.replace(0, kFrameMagic.size(), kFrameMagic);
    frame.replace(4, 8, as_text(head));
    frame += as_text(*encoded);
    return frame;
}

} // namespace aios::host
