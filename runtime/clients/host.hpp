// What the crew and the services tell the person who asked: job-messages of abi/messages.def, through the host port.
#pragma once

#include "messages/owned.hpp"
#include "runtime/kernel/calls.hpp"

namespace aios::clients {

// bad_argument for text that is not UTF-8, and what host_send answers. A host that does not listen cannot be helped.
template <messages::IsMessage T>
Result<> tell_host(Handle port, const T& message) {
    const std::vector<std::byte> encoded = TRY(messages::encode(message));
    TRY(sys::host_send(port, encoded.data(), encoded.size()));
    return {};
}

} // namespace aios::clients
