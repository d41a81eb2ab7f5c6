// UTF-8 on any bytes: iteration ends and consumes everything; what is valid is encoded back to the same bytes; what has
// been repaired with U+FFFD is valid, and stays as it is.
#include <cstdint>
#include <string>

#include "base/assert.hpp"
#include "base/utf8.hpp"

namespace {

std::string repaired(std::string_view text, bool& valid) {
    std::string result;
    valid = true;
    std::size_t consumed = 0;
    const aios::utf8::CodePoints points(text);
    for (auto it = points.begin(); it != points.end(); ++it) {
        AIOS_ASSERT(it.decoded().length >= 1 && it.decoded().length <= 4);
        consumed += it.decoded().length;
        valid = valid && it.decoded().valid;
        char bytes[4];
        result.append(bytes, aios::utf8::encode(*it, bytes));
    }
    AIOS_ASSERT(consumed == text.size());
    return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    bool valid;
    const std::string copy = repaired(text, valid);
    AIOS_ASSERT(valid == aios::utf8::is_valid(text));
    if (valid) AIOS_ASSERT(copy == text);
    bool still_valid;
    AIOS_ASSERT(repaired(copy, still_valid) == copy && still_valid);
    return 0;
}
