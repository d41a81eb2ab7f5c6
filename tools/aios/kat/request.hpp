// One test of `aios kat`, read from its line: `ALGORITHM/operation name=value name=value ...`, blank-separated. Values
// are hexadecimal, except those of the few fields that plain_field() names. A field that is not there is absent; one
// without a value is empty. Which fields an operation takes is in its row (row.hpp).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/types.hpp"
#include "tools/aios/host/outcome.hpp"

namespace aios::host::kat {

// Limits that --help states: of a message, of output whose length the line chooses, and of a whole line.
inline constexpr std::size_t kMaxMessage = 64 << 20;
inline constexpr std::size_t kMaxOutput = 64 << 20;
inline constexpr std::size_t kMaxLine = 2 * kMaxMessage + (1 << 20);

// Fields whose value is a word or a decimal number.
[[nodiscard]] bool is_plain_field(std::string_view name);

class Request {
public:
    // Takes a line apart; the views refer to it. Refuses what has not the form of a test, with the reason.
    [[nodiscard]] static Outcome<Request> parse(std::string_view line);

    [[nodiscard]] std::string_view algorithm() const { return algorithm_; }
    [[nodiscard]] std::string_view operation() const { return operation_; }

    // Refuses fields that neither list of names (blank-separated) has, and the absence of a required one.
    [[nodiscard]] Outcome<> check_fields(std::string_view required, std::string_view optional) const;

    [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
    // The bytes of a field; none if it is absent.
    [[nodiscard]] Bytes bytes(std::string_view name) const;
    // The value of a plain field, as it stands; empty if it is absent.
    [[nodiscard]] std::string_view word(std::string_view name) const;
    // A plain field as a number of bytes, at most `most`.
    [[nodiscard]] Outcome<std::size_t> count(std::string_view name, std::size_t most) const;
    // A plain field that is 0 or 1; absent is 0.
    [[nodiscard]] Outcome<bool> flag(std::string_view name) const;

private:
    struct Field {
        std::string_view name;
        std::string_view word;
        std::vector<std::byte> bytes;
    };
    [[nodiscard]] Outcome<> add_field(std::string_view text);
    [[nodiscard]] const Field* find(std::string_view name) const;

    std::string_view algorithm_;
    std::string_view operation_;
    std::vector<Field> fields_;
};

} // namespace aios::host::kat
