// Every message of abi/messages.def, from any bytes: what is read is written again as it was, but for keys that an open
// message passed over; what looks on and what keeps agree.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "messages/owned.hpp"
#include "messages/view.hpp"

namespace aios::messages {
namespace {

template <typename Owned, typename View>
void try_one(Bytes data) {
    const auto owned = decode<Owned>(data);
    const auto view = decode<View>(data);
    if (owned.has_value() != view.has_value()) std::abort();
    if (!owned) return;
    const auto again = encode(*owned), seen = encode(*view);
    if (!again || !seen || *again != *seen) std::abort();
    constexpr bool kIsOpen = Owned::kShape == Shape::open_map || Owned::kShape == Shape::slots;
    if (!kIsOpen && !std::ranges::equal(*again, data)) std::abort();
}

} // namespace
} // namespace aios::messages

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const aios::Bytes bytes = std::as_bytes(std::span(data, size));
#define MESSAGE(Name, rule, shape, note)                                                                               \
    aios::messages::try_one<aios::messages::owned::Name, aios::messages::view::Name>(bytes);
#include "abi/messages.def"
    return 0;
}
