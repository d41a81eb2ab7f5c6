// K-PKE, the encryption inside ML-KEM (FIPS 203 section 5). It is not to be used by itself. What is hashed comes from
// the caller's batches, so that the three algorithms are their arithmetic alone.
#pragma once

#include <cstddef>

#include "crypto/ml_kem/workspace.hpp"

namespace aios::crypto::ml_kem {

template <typename Parameters>
struct Pke {
    static constexpr std::size_t k = Parameters::k;
    static constexpr std::size_t kCiphertextSize = 32 * (Parameters::du * k + Parameters::dv);
    using Temporary = Temporaries<k, kCiphertextSize>;

    // Adds to the batch: A by rows, or transposed (algorithm 13 lines 3 to 7, algorithm 14 lines 4 to 8).
    static void add_matrix(const std::byte* rho, Temporary& t) {
        for (std::size_t row = 0; row < k; ++row)
            for (std::size_t column = 0; column < k; ++column)
                t.secrets.hashes.add_matrix_entry(rho, column, row, t.matrix[row * k + column]);
    }
    static void add_transposed_matrix(const std::byte* rho, Temporary& t) {
        for (std::size_t row = 0; row < k; ++row)
            for (std::size_t column = 0; column < k; ++column)
                t.secrets.hashes.add_matrix_entry(rho, row, column, t.matrix[row * k + column]);
    }

    // Adds to the batch: s and e (algorithm 13, lines 8 to 15).
    static void add_key_noise(const std::byte* sigma, Temporary& t) {
        for (std::size_t i = 0; i < k; ++i) {
            t.secrets.hashes.template add_noise<Parameters::eta1>(sigma, i, t.secrets.vector[i]);
            t.secrets.hashes.template add_noise<Parameters::eta1>(sigma, k + i, t.secrets.noise[i]);
        }
    }

    // Adds to the batch: y, e1 and e2 (algorithm 14, lines 9 to 17).
    static void add_encryption_noise(const std::byte* r, Temporary& t) {
        for (std::size_t i = 0; i < k; ++i) {
            t.secrets.hashes.template add_noise<Parameters::eta1>(r, i, t.secrets.vector[i]);
            t.secrets.hashes.template add_noise<Parameters::eta2>(r, k + i, t.secrets.noise[i]);
        }
        t.secrets.hashes.template add_noise<Parameters::eta2>(r, 2 * k, t.secrets.noise2);
    }

    // Algorithm 13, lines 16 to 20, from matrix, vector and noise: 384 k bytes each of both keys.
    static void finish_keys(std::byte* encoded_t, std::byte* encoded_s, Temporary& t) {
        auto& secrets = t.secrets;
        transform_vector(t);
        for (std::size_t i = 0; i < k; ++i) {
            multiply(&t.matrix[i * k], secrets.vector.data(), secrets.twisted.data(), k, secrets.sum);
            ntt(secrets.noise[i]);
            scale_and_add(secrets.sum, secrets.noise[i]);
            encode(secrets.sum, encoded_t + kEncodedSize * i);
            encode(secrets.vector[i], encoded_s + kEncodedSize * i);
        }
    }

    // Algorithm 14, line 2. Returns whether all coefficients were below q; they are below q afterwards.
    [[nodiscard]] static bool decode_key(const std::byte* encoded_t, Temporary& t) {
        std::uint32_t too_large = 0;
        for (std::size_t i = 0; i < k; ++i)
            too_large |= decode(encoded_t + kEncodedSize * i, t.key[i]);
        return too_large == 0;
    }

    // Algorithm 14, lines 18 to 24, from matrix, key, vector, noise, noise2 and the message.
    static void encrypt(const std::byte* message, std::byte* ciphertext, Temporary& t) {
        auto& secrets = t.secrets;
        transform_vector(t);
        for (std::size_t i = 0; i < k; ++i) {
            multiply(&t.matrix[i * k], secrets.vector.data(), secrets.twisted.data(), k, secrets.sum);
            inverse_ntt(secrets.sum);
            add(secrets.sum, secrets.noise[i]);
            compress<Parameters::du>(secrets.sum, ciphertext + 32 * Parameters::du * i);
        }
        multiply(t.key.data(), secrets.vector.data(), secrets.twisted.data(), k, secrets.sum);
        inverse_ntt(secrets.sum);
        add(secrets.sum, secrets.noise2);
        decompress_message(message, secrets.noise2);
        add(secrets.sum, secrets.noise2);
        compress<Parameters::dv>(secrets.sum, ciphertext + 32 * Parameters::du * k);
    }

    // K-PKE.Decrypt, algorithm 15.
    static void decrypt(const std::byte* encoded_s, const std::byte* ciphertext, std::byte* message, Temporary& t) {
        auto& secrets = t.secrets;
        for (std::size_t i = 0; i < k; ++i) {
            decompress<Parameters::du>(ciphertext + 32 * Parameters::du * i, secrets.vector[i]);
            // Numbers of q and more are reduced (algorithm 6); which they are is secret.
            static_cast<void>(decode(encoded_s + kEncodedSize * i, secrets.noise[i]));
        }
        transform_vector(t);
        multiply(secrets.noise.data(), secrets.vector.data(), secrets.twisted.data(), k, secrets.sum);
        inverse_ntt(secrets.sum);
        decompress<Parameters::dv>(ciphertext + 32 * Parameters::du * k, secrets.noise2);
        subtract_from(secrets.sum, secrets.noise2);
        compress_message(secrets.sum, message);
    }

private:
    static void transform_vector(Temporary& t) {
        for (std::size_t i = 0; i < k; ++i) {
            ntt(t.secrets.vector[i]);
            twist(t.secrets.vector[i], t.secrets.twisted[i]);
        }
    }
};

} // namespace aios::crypto::ml_kem
