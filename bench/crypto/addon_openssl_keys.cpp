// ML-KEM, ML-DSA, SLH-DSA and X25519 of OpenSSL, with the same seeds, messages and deterministic signing as ours.
#include <algorithm>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "bench/crypto/addon_openssl.hpp"
#include "bench/crypto/data.hpp"

namespace aios::bench::openssl {

namespace {

unsigned char* raw(std::byte* bytes) {
    // SAFETY: bytes as C writes them.
    return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) {
    // SAFETY: as above.
    return reinterpret_cast<const unsigned char*>(bytes);
}

// A parameter list of one entry; OpenSSL does not write to what it refers to.
struct OneParameter {
    OSSL_PARAM list[2];
    OneParameter(const char* name, const std::vector<std::byte>& value)
        : list{OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(value.data()), value.size()),
               OSSL_PARAM_construct_end()} {}
    OneParameter(const char* name, int& value)
        : list{OSSL_PARAM_construct_int(name, &value), OSSL_PARAM_construct_end()} {}
};

EVP_PKEY* generate(const std::string& algorithm, const std::vector<std::byte>& seed) {
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm.c_str(), nullptr));
    const OneParameter parameters("seed", seed);
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_params(context.get(), parameters.list) != 1 || EVP_PKEY_generate(context.get(), &key) != 1)
        return nullptr;
    return key;
}

Body keygen(const std::string& algorithm, std::vector<std::byte> first_seed) {
    return [algorithm, seed = std::move(first_seed)](std::size_t repetition) mutable {
        vary(seed, repetition);
        EVP_PKEY* key = generate(algorithm, seed);
        EVP_PKEY_free(key);
        return key != nullptr;
    };
}

struct Kem {
    Key key;
    KeyContext context;
    std::vector<std::byte> randomness = octets(32, 3);
    std::vector<std::byte> ciphertext;
    std::vector<std::byte> shared;

    bool encapsulate(std::size_t repetition) {
        vary(randomness, repetition);
        std::size_t ciphertext_size = ciphertext.size();
        std::size_t shared_size = shared.size();
        const OneParameter parameters(OSSL_KEM_PARAM_IKME, randomness);
        return EVP_PKEY_encapsulate_init(context.get(), parameters.list) == 1 &&
               EVP_PKEY_encapsulate(context.get(), raw(ciphertext.data()), &ciphertext_size, raw(shared.data()),
                                    &shared_size) == 1;
    }
    bool decapsulate() {
        std::size_t shared_size = shared.size();
        return EVP_PKEY_decapsulate_init(context.get(), nullptr) == 1 &&
               EVP_PKEY_decapsulate(context.get(), raw(shared.data()), &shared_size, raw(ciphertext.data()),
                                    ciphertext.size()) == 1;
    }
};

struct Signer {
    Key key;
    KeyContext context;
    std::unique_ptr<EVP_SIGNATURE, Freed<EVP_SIGNATURE_free>> algorithm;
    std::vector<std::byte> signature;
    bool has_signature = false;

    bool sign(std::size_t repetition) {
        const auto text = message(repetition);
        int yes = 1;
        const OneParameter parameters(OSSL_SIGNATURE_PARAM_DETERMINISTIC, yes);
        std::size_t size = signature.size();
        has_signature = EVP_PKEY_sign_message_init(context.get(), algorithm.get(), parameters.list) == 1 &&
                        EVP_PKEY_sign(context.get(), raw(signature.data()), &size, raw(text.data()), text.size()) == 1;
        return has_signature;
    }
    bool verify() {
        const auto text = message(0);
        if (!has_signature && !sign(0)) return false;
        return EVP_PKEY_verify_message_init(context.get(), algorithm.get(), nullptr) == 1 &&
               EVP_PKEY_verify(context.get(), raw(signature.data()), signature.size(), raw(text.data()), text.size()) ==
                   1;
    }
};

} // namespace

Body kem_body(const Operation& operation) {
    if (!operation.algorithm.starts_with("ML-KEM-")) return {};
    std::vector<std::byte> seed = octets(32, 1); // d, then z
    const auto z = octets(32, 2);
    seed.insert(seed.end(), z.begin(), z.end());
    if (operation.operation == "keygen") return keygen(operation.algorithm, std::move(seed));
    const auto state = std::make_shared<Kem>();
    state->key = Key(generate(operation.algorithm, seed), EVP_PKEY_free);
    if (!state->key) return {};
    state->context = KeyContext(EVP_PKEY_CTX_new_from_pkey(nullptr, state->key.get(), nullptr));
    std::size_t ciphertext_size = 0;
    std::size_t shared_size = 0;
    if (EVP_PKEY_encapsulate_init(state->context.get(), nullptr) != 1 ||
        EVP_PKEY_encapsulate(state->context.get(), nullptr, &ciphertext_size, nullptr, &shared_size) != 1)
        return {};
    state->ciphertext.resize(ciphertext_size);
    state->shared.resize(shared_size);
    if (operation.operation == "encaps")
        return [state](std::size_t repetition) { return state->encapsulate(repetition); };
    if (!state->encapsulate(0)) return {};
    return [state](std::size_t) { return state->decapsulate(); };
}

Body signature_body(const Operation& operation) {
    const bool lattice = operation.algorithm.starts_with("ML-DSA-");
    if (!lattice && !operation.algorithm.starts_with("SLH-DSA-")) return {};
    // SLH-DSA: three parts of n octets; all sets that are measured have n = 16.
    const auto seed = octets(lattice ? 32 : 48, 1);
    if (operation.operation == "keygen") return keygen(operation.algorithm, seed);
    const auto state = std::make_shared<Signer>();
    state->key = Key(generate(operation.algorithm, seed), EVP_PKEY_free);
    if (!state->key) return {};
    state->context = KeyContext(EVP_PKEY_CTX_new_from_pkey(nullptr, state->key.get(), nullptr));
    state->algorithm.reset(EVP_SIGNATURE_fetch(nullptr, operation.algorithm.c_str(), nullptr));
    state->signature.resize(static_cast<std::size_t>(EVP_PKEY_get_size(state->key.get())));
    if (operation.operation == "sign") return [state](std::size_t repetition) { return state->sign(repetition); };
    return [state](std::size_t) { return state->verify(); };
}

Body agreement_body(const Operation& operation) {
    if (operation.algorithm != "X25519") return {};
    const auto load = [](std::uint8_t label) {
        const auto bytes = octets(32, label);
        return Key(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, raw(bytes.data()), bytes.size()),
                   EVP_PKEY_free);
    };
    const Key mine = load(4);
    const Key theirs = load(5); // its public half alone is used
    const std::shared_ptr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, mine.get(), nullptr),
                                                EVP_PKEY_CTX_free);
    return [mine, theirs, context](std::size_t) {
        unsigned char shared[32];
        std::size_t size = sizeof(shared);
        return EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer(context.get(), theirs.get()) == 1 &&
               EVP_PKEY_derive(context.get(), shared, &size) == 1;
    };
}

} // namespace aios::bench::openssl
