// From samples of a noise source to a seed: the continuous health tests of NIST SP 800-90B section 4.4, and a collector
// that conditions healthy samples with SHA-512 into the seed of an HmacDrbg. The caller brings the source, and says how
// much min-entropy a sample has; here nothing is measured, timed or read from a device.
//
//   SeedCollector<500> collector;                              // half a bit a sample
//   while (!collector.is_ready()) TRY(collector.add(sample()));
//   TRY(collector.take(seed));  TRY(drbg.instantiate(seed.bytes(), nonce));
//
// A source that fails a test once is not believed again: every later call fails. No locks; one user at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/secret.hpp"
#include "crypto/sha2.hpp"

namespace aios::crypto {

namespace detail {

// 2 to the power of -h / 1000, by the exponential series. Compile time only: the kernel has no floating point.
consteval long double probability_of_guess(unsigned milli_bits) {
    const long double x = -0.693147180559945309417L * milli_bits / 1000;
    long double term = 1;
    long double sum = 1;
    for (int n = 1; n < 80; ++n) {
        term = term * x / n;
        sum += term;
    }
    return sum;
}

// Section 4.4.1: C = 1 + ceil(-log2(alpha) / H), with alpha = 2^-20.
consteval unsigned repetition_cutoff(unsigned milli_bits) { return 1 + (20 * 1000 + milli_bits - 1) / milli_bits; }

// Section 4.4.2: the least count c with P(X >= c) <= alpha, X binomial over the window with p = 2^-H; that is
// 1 + CRITBINOM(W, 2^-H, 1 - alpha). The tail is summed from its small end.
consteval unsigned proportion_cutoff(unsigned milli_bits, unsigned window) {
    const long double p = probability_of_guess(milli_bits);
    const long double alpha = 1.0L / (1 << 20);
    long double term = 1; // P(X = c), from c = window downwards
    for (unsigned i = 0; i < window; ++i)
        term *= p;
    long double tail = 0;
    for (unsigned c = window; c > 0; --c) {
        if (tail + term > alpha) return c + 1;
        tail += term;
        term = term * c / (window - c + 1) * (1 - p) / p;
    }
    return 1;
}

} // namespace detail

// The two tests over a source whose samples have `MilliBits` / 1000 bits of min-entropy each. `Window` is 1024 for a
// source with two values, else 512. A good source fails once in about a million samples or windows.
template <unsigned MilliBits, unsigned Window = 512>
class HealthTests {
    static_assert(MilliBits >= 20 && MilliBits <= 8000 && (Window == 512 || Window == 1024));

public:
    static constexpr unsigned kRepetitionCutoff = detail::repetition_cutoff(MilliBits);
    static constexpr unsigned kProportionCutoff = detail::proportion_cutoff(MilliBits, Window);

    // Takes the next sample in order. False from the first failure on.
    [[nodiscard]] bool add(std::uint64_t sample) {
        repetitions_ = repetitions_ != 0 && sample == last_ ? repetitions_ + 1 : 1;
        last_ = sample;
        if (in_window_ == 0) {
            first_ = sample;
            same_ = 0;
        }
        same_ += sample == first_ ? 1 : 0;
        in_window_ = (in_window_ + 1) % Window;
        if (repetitions_ >= kRepetitionCutoff || same_ >= kProportionCutoff) failed_ = true;
        return !failed_;
    }

    [[nodiscard]] bool failed() const { return failed_; }

private:
    std::uint64_t last_ = 0;
    std::uint64_t first_ = 0; // of the window
    unsigned repetitions_ = 0;
    unsigned same_ = 0;
    unsigned in_window_ = 0;
    bool failed_ = false;
};

template <unsigned MilliBits, unsigned Window = 512>
class SeedCollector : Pinned {
public:
    // 64 bytes: entropy and nonce for a generator of 256 bits of strength in one (SP 800-90A section 8.6.7).
    using Seed = SecretOctets<struct SeedTag, 64>;

    // The start-up test needs 1,024 samples (SP 800-90B section 4.3), and full entropy 64 bits more than come out
    // (section 3.1.5.1.2).
    static constexpr std::uint64_t kSamplesNeeded =
        std::max<std::uint64_t>(1024, ((8 * Seed::kSize + 64) * 1000 + MilliBits - 1) / MilliBits);

    ~SeedCollector() { secure_wipe_object(hash_); }

    // The next sample. Error: device when the source failed a health test now or earlier.
    [[nodiscard]] Result<> add(std::uint64_t sample) {
        if (!tests_.add(sample)) return fail(Error::device);
        std::array<std::byte, 8> octets;
        store_le(octets.data(), sample);
        hash_.update(octets);
        ++samples_;
        return {};
    }

    [[nodiscard]] bool is_ready() const { return samples_ >= kSamplesNeeded && !tests_.failed(); }

    // The seed. The collector then starts anew for the next one, with the tests going on. Errors: device; not_ready.
    [[nodiscard]] Result<> take(Seed& seed) {
        if (tests_.failed()) return fail(Error::device);
        if (!is_ready()) return fail(Error::not_ready);
        auto digest = hash_.finish();
        WipeAtEnd wipe(digest);
        samples_ = 0;
        return seed.assign(digest);
    }

private:
    HealthTests<MilliBits, Window> tests_;
    Sha512 hash_;
    std::uint64_t samples_ = 0;
};

} // namespace aios::crypto
