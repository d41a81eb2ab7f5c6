#include "personality/linux/held_text.hpp"

#include <cstring>

namespace aios::linux_abi {

Result<HeldText> HeldText::copy(Payer& payer, std::string_view text) {
    HeldText out;
    if (text.empty()) return out;
    out.bytes_ = TRY(mm::OwnedBytes::make(payer, text.size()));
    std::memcpy(out.bytes_.data(), text.data(), text.size());
    out.length_ = text.size();
    return out;
}

} // namespace aios::linux_abi
