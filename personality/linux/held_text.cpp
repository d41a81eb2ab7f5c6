#include "personality/linux/held_text.hpp"

#include <cstring>

#include "kernel/mm/mm.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::linux_abi {

Result<HeldText> HeldText::copy(Payer& payer, std::string_view text) {
    HeldText out;
    if (text.empty()) return out;
    out.charge_ = TRY(Reservation::make(payer, Resource::memory, mm::heap_cost(text.size())));
    out.text_ = static_cast<char*>(mm::heap_allocate(text.size()));
    if (out.text_ == nullptr) return fail(Error::out_of_memory);
    std::memcpy(out.text_, text.data(), text.size());
    out.bytes_ = text.size();
    return out;
}

HeldText::~HeldText() { mm::heap_free(text_); }

} // namespace aios::linux_abi
