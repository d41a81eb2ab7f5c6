// The table of `aios kat`: a row for each operation of each algorithm, and what the operations share. Each family has a
// file of its own with its rows.
#pragma once

#include <array>
#include <format>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "crypto/signed_message.hpp"
#include "crypto/stop.hpp"
#include "tools/aios/kat/request.hpp"

namespace aios::host::kat {

// The whole answer: "ok name=hex ...", "valid" or "invalid". A failure becomes "error REASON".
using Answer = Outcome<std::string>;

struct Row {
    std::string_view algorithm;
    std::string_view operation;
    std::string_view required; // names of fields, blank-separated
    std::string_view optional;
    Answer (*answer)(const Request&);
};

[[nodiscard]] std::span<const Row> ml_kem_rows();
[[nodiscard]] std::span<const Row> ml_dsa_rows();
[[nodiscard]] std::span<const Row> slh_dsa_rows();
[[nodiscard]] std::span<const Row> hash_rows();
[[nodiscard]] std::span<const Row> mac_rows();
[[nodiscard]] std::span<const Row> key_derivation_rows();
[[nodiscard]] std::span<const Row> aead_rows();
[[nodiscard]] std::span<const Row> x25519_rows();

// Tables put together when the program is compiled.
template <std::size_t... Sizes>
[[nodiscard]] constexpr auto joined(const std::array<Row, Sizes>&... tables) {
    std::array<Row, (Sizes + ...)> all{};
    std::size_t at = 0;
    const auto add = [&](const auto& table) {
        for (const Row& row : table)
            all[at++] = row;
    };
    (add(tables), ...);
    return all;
}

// All of them, in the order of --help.
[[nodiscard]] std::vector<const Row*> all_rows();

// Answers one line, without line end. Never fails: a line that cannot be read gives "error REASON".
[[nodiscard]] std::string answer(std::string_view line);
// The same from other rows than those of `aios kat`, for tests.
[[nodiscard]] std::string answer(std::string_view line, std::span<const Row* const> rows);

struct Output {
    std::string_view name;
    Bytes bytes;
};
[[nodiscard]] std::string ok(std::initializer_list<Output> outputs);
[[nodiscard]] inline std::string invalid() { return "invalid"; }

// The answer to an error of the library: a stop ends the line as unread, everything else was refused input.
[[nodiscard]] Answer refused(Error error);

// Copies a field into octets of fixed size that the test's author chose: a wrong length is an error of the line.
template <typename Octets>
[[nodiscard]] Outcome<> take(const Request& request, std::string_view name, Octets& octets) {
    const Bytes bytes = request.bytes(name);
    if (octets.assign(bytes)) return {};
    return failure(Exit::bad_input, std::format("{} has {} bytes; {} takes {}", name, bytes.size(), request.algorithm(),
                                                octets.bytes().size()));
}

// Copies a field into octets of fixed size; false if the length is wrong, which the algorithm itself has to refuse.
template <typename Octets>
[[nodiscard]] bool fits(const Request& request, std::string_view name, Octets& octets) {
    return octets.assign(request.bytes(name)).has_value();
}

// What is signed: msg with ctx, hash and internal, or mu. The inner Result is the library's own refusal, such as that
// of a context that is too long.
[[nodiscard]] Outcome<Result<crypto::SignedMessage>> message_of(const Request& request);

// Stops long operations when the program is asked to end.
[[nodiscard]] crypto::StopCallback stop_at_signal();

} // namespace aios::host::kat
