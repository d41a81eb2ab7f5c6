// Lines of `aios kat`: any bytes give exactly one line of printable text for each line of input.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/aios/kat/session.hpp"

namespace {

// Work that a line may rightly ask for and that takes longer than a fuzzer waits: SLH-DSA's signing, and much output.
bool takes_long(std::string_view input) {
    if (input.contains("SLH-DSA") && (input.contains("/sign") || input.contains("/keygen"))) return true;
    constexpr std::string_view kLength = "len=";
    constexpr std::size_t kDigits = 6;
    for (auto at = input.find(kLength); at != std::string_view::npos; at = input.find(kLength, at + 1)) {
        const std::string_view value = input.substr(at + kLength.size());
        if (value.find_first_not_of("0123456789") >= kDigits) return true;
    }
    return false;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: bytes are read as characters.
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (takes_long(input)) return -1;
    std::size_t lines = 0;
    for (const char c : input)
        lines += c == '\n' ? 1 : 0;
    if (!input.empty() && !input.ends_with('\n')) ++lines;
    std::size_t answers = 0;
    const auto give = [&](std::string_view answer) {
        ++answers;
        if (!answer.starts_with("ok") && !answer.starts_with("error ") && answer != "valid\n" && answer != "invalid\n")
            std::abort();
        if (answer.find('\n') != answer.size() - 1) std::abort();
    };
    aios::host::kat::Session session;
    const std::size_t half = size / 2;
    session.feed(input.substr(0, half), give);
    session.feed(input.substr(half), give);
    session.finish(give);
    if (answers != lines) std::abort();
    return 0;
}
