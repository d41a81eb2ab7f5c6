// What is sent to a netlink socket, on any bytes: answers are whole messages of the lengths that they say, within their bounds.
#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "personality/linux/netlink_answer.hpp"

using namespace aios;
using namespace aios::linux_abi;

namespace {

// One behind another, each aligned, to the last byte.
void check(Bytes messages) {
    while (!messages.empty()) {
        AIOS_ASSERT(messages.size() >= kNetlinkHead);
        const auto bytes = load_le<std::uint32_t>(messages.data());
        AIOS_ASSERT(bytes >= kNetlinkHead && bytes <= messages.size());
        const std::size_t whole = (bytes + 3) / 4 * 4;
        AIOS_ASSERT(whole <= messages.size());
        messages = messages.subspan(whole);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::uint8_t> copy(data, data + size); // of its own, so that reading one byte too many is found
    Bytes rest = std::as_bytes(std::span(copy));
    NetlinkRequest request;
    while (take_netlink_request(rest, request)) {
        std::vector<std::byte> room(kMostNetlinkAnswer);
        const NetlinkAnswer answer = answer_netlink(request, 7, room);
        AIOS_ASSERT(answer.bytes <= room.size() && (answer.bytes == 0 || answer.error == Errno{}));
        check(Bytes(room).first(answer.bytes));
        for (const ErrorBody body : {ErrorBody::whole, ErrorBody::cut}) {
            std::vector<std::byte> report(2 * kNetlinkHead + 8 + request.body.size());
            check(Bytes(report).first(netlink_error(request, 7, answer.error, body, report)));
        }
    }
    return 0;
}
