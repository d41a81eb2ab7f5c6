// Lines of `aios kat`: any bytes give exactly one line of printable text for each line of input.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/aios/kat/session.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: bytes are read as characters.
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    std::size_t lines = 0;
    for (const char c : input)
        lines += c == '\n' ? 1 : 0;
    if (!input.empty() && !input.ends_with('\n')) lines++;
    std::size_t answers = 0;
    const auto give = [&](std::string_view answer) {
        answers++;
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
