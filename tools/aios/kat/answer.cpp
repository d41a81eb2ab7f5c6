// Finds the row of a line and answers it; what all operations share.
#include <algorithm>

#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/kat/row.hpp"

namespace aios::host::kat {

namespace {

constexpr std::span<const Row> (*kTables[])() = {ml_kem_rows, ml_dsa_rows,         slh_dsa_rows, hash_rows,
                                                 mac_rows,    key_derivation_rows, aead_rows,    x25519_rows};

struct HashName {
    std::string_view name;
    crypto::PreHash hash;
};

// As ACVP spells them; it writes SHAKE-128 in some files and SHAKE128 in others.
constexpr HashName kHashNames[] = {
    {"SHA2-224", crypto::PreHash::sha2_224},         {"SHA2-256", crypto::PreHash::sha2_256},
    {"SHA2-384", crypto::PreHash::sha2_384},         {"SHA2-512", crypto::PreHash::sha2_512},
    {"SHA2-512/224", crypto::PreHash::sha2_512_224}, {"SHA2-512/256", crypto::PreHash::sha2_512_256},
    {"SHA3-224", crypto::PreHash::sha3_224},         {"SHA3-256", crypto::PreHash::sha3_256},
    {"SHA3-384", crypto::PreHash::sha3_384},         {"SHA3-512", crypto::PreHash::sha3_512},
    {"SHAKE128", crypto::PreHash::shake128},         {"SHAKE-128", crypto::PreHash::shake128},
    {"SHAKE256", crypto::PreHash::shake256},         {"SHAKE-256", crypto::PreHash::shake256},
};

std::string short_form(std::string_view word) {
    constexpr std::size_t kShown = 40;
    return printable(word.substr(0, kShown)) + (word.size() > kShown ? "..." : "");
}

Outcome<const Row*> find_row(const Request& request, std::span<const Row* const> rows) {
    std::string operations;
    for (const Row* row : rows) {
        if (row->algorithm != request.algorithm()) continue;
        if (row->operation == request.operation()) return row;
        operations += std::format("{}{}", operations.empty() ? "" : ", ", row->operation);
    }
    if (operations.empty())
        return failure(Exit::bad_input, std::format("there is no algorithm '{}'; see ./aios kat --help",
                                                    short_form(request.algorithm())));
    return failure(Exit::bad_input, std::format("{} has no operation '{}'; it has {}", request.algorithm(),
                                                short_form(request.operation()), operations));
}

Answer answer_request(std::string_view line, std::span<const Row* const> rows) {
    const Request request = HOST_TRY(Request::parse(line));
    const Row* row = HOST_TRY(find_row(request, rows));
    HOST_TRY(request.check_fields(row->required, row->optional));
    return row->answer(request);
}

} // namespace

std::vector<const Row*> all_rows() {
    std::vector<const Row*> rows;
    for (const auto table : kTables)
        for (const Row& row : table())
            rows.push_back(&row);
    return rows;
}

std::string answer(std::string_view line) { return answer(line, all_rows()); }

std::string answer(std::string_view line, std::span<const Row* const> rows) {
    const Answer result = answer_request(line, rows);
    return result ? *result : "error " + result.error().sentence;
}

std::string ok(std::initializer_list<Output> outputs) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text = "ok";
    for (const Output& output : outputs) {
        text += ' ';
        text += output.name;
        text += '=';
        text.reserve(text.size() + 2 * output.bytes.size());
        for (const std::byte byte : output.bytes) {
            text += kDigits[std::to_integer<unsigned>(byte) >> 4];
            text += kDigits[std::to_integer<unsigned>(byte) & 15];
        }
    }
    return text;
}

Answer refused(Error error) {
    if (error == Error::interrupted) return failure(Exit::bad_input, "interrupted");
    return invalid();
}

Outcome<Result<crypto::SignedMessage>> message_of(const Request& request) {
    using crypto::SignedMessage;
    if (request.has("msg") == request.has("mu"))
        return failure(Exit::bad_input, "exactly one of the fields msg and mu has to be there");
    const bool internal = HOST_TRY(request.flag("internal"));
    const bool formed = request.has("ctx") || request.has("hash");
    if (request.has("mu")) {
        if (formed || internal) return failure(Exit::bad_input, "mu goes with none of ctx, hash and internal");
        return SignedMessage::external_mu(request.bytes("mu"));
    }
    const Bytes message = request.bytes("msg");
    if (internal) {
        if (formed) return failure(Exit::bad_input, "internal goes with neither ctx nor hash");
        return Result<SignedMessage>(SignedMessage::formatted(message));
    }
    if (!request.has("hash")) return SignedMessage::pure(message, request.bytes("ctx"));
    const auto named = std::ranges::find(kHashNames, request.word("hash"), &HashName::name);
    if (named == std::end(kHashNames))
        return failure(Exit::bad_input, std::format("there is no hash '{}'", short_form(request.word("hash"))));
    return SignedMessage::pre_hashed(named->hash, message, request.bytes("ctx"));
}

crypto::StopCallback stop_at_signal() {
    return {[](void*) { return stop_signal() != 0; }, nullptr};
}

} // namespace aios::host::kat
