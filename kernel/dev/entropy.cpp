// See entropy.hpp. Seed material (RDRAND, the loader's or the monitor's seed, timing jitter) is hashed together with
// SHA-256; a source only counts as enough when it passed its health check, and nothing is handed out before one did.
// Each CPU has its own generator, used with interrupts off and in small pieces, so there is no lock to wait for, and no agent
// waits for another that was interrupted in its middle. Making or renewing a generator takes longer than a piece: that is
// done beside the one in use, with interrupts on (renew()). With seed= one generator serves all under Rank::entropy, so
// that the sequence does not depend on which CPU asks.
// Standards: NIST SP 800-90A (generator), 800-90B section 4.4.1 (repetition test).
#include "kernel/dev/entropy.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/bytes.hpp"
#include "crypto/hmac_drbg.hpp"
#include "crypto/sha2.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/dev/entropy_init.hpp"
#include "kernel/dev/fw_cfg.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::dev {
namespace {

constexpr std::uint64_t kReseedInterval = 4096;          // requests
constexpr std::uint64_t kRenewAt = kReseedInterval - 64; // while the old one can still give its part to the new one
constexpr std::size_t kPiece = 64;                       // bytes with interrupts off: some 40,000 instructions
constexpr std::size_t kMaxRequest = 64 << 10;
constexpr std::size_t kSeedWords = 8;

using Generator = crypto::HmacDrbgSha256;
struct CpuGenerator {
    Generator drbg{kReseedInterval};
};

constinit std::atomic<bool> seeded{false};
constinit std::atomic<bool> hardware_good{false};
crypto::Sha256::Digest root_secret; // written before `seeded`
arch::PerCpu<CpuGenerator> generators;
sync::Protected<Generator, sync::Rank::entropy> fixed_generator;

template <typename T>
Bytes bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}

// What a generator that is stuck gives, or one that is not there.
bool looks_random(std::uint64_t word, std::uint64_t last) { return word != last && word != 0 && word != ~0ull; }

// RDRAND words; false when it is missing, fails, or repeats itself (a stuck generator).
bool hardware_words(std::span<std::uint64_t> words) {
    std::uint64_t last = 0;
    for (auto& word : words) {
        const auto value = arch::hardware_random();
        if (!value || !looks_random(*value, last)) return false;
        word = last = *value;
    }
    return true;
}

// Times a short run of memory accesses again and again; true if the times differ enough among themselves to count.
bool jitter(crypto::Sha256& hash, unsigned samples) {
    static volatile std::uint64_t scratch[64];
    std::uint64_t last = arch::ticks(), last_step = 0;
    unsigned changes = 0;
    for (unsigned i = 0; i < samples; ++i) {
        for (unsigned k = 0; k < 16; ++k)
            scratch[(i * 7 + k * 11) % 64] = scratch[(i * 7 + k * 11) % 64] + last;
        const std::uint64_t now = arch::ticks();
        const std::uint64_t step = now - last;
        if (step != last_step) ++changes;
        last_step = step;
        last = now;
        hash.update(bytes_of(step));
    }
    return changes > samples / 2;
}

// 32 bytes for one generator: the root secret, what the processor gives now, and the number of the generator.
crypto::Sha256::Digest seed_for(std::uint64_t number) {
    crypto::Sha256 hash;
    hash.update(root_secret);
    hash.update(bytes_of(number));
    std::uint64_t words[kSeedWords] = {};
    if (hardware_good.load(std::memory_order_relaxed) && !hardware_words(words)) {
        // A generator that fails later is not believed again; what was gathered before still counts.
        hardware_good.store(false, std::memory_order_relaxed);
    }
    hash.update(bytes_of(words));
    const std::uint64_t now = arch::ticks();
    hash.update(bytes_of(now));
    return hash.finish();
}

// A new generator in the place of this CPU's, seeded with what the processor gives now and with `last` of the old one.
Result<> renew(const crypto::Sha256::Digest& last) {
    static constinit std::atomic<std::uint64_t> made_so_far{0};
    const std::uint64_t nonce[2] = {made_so_far.fetch_add(1, std::memory_order_relaxed), arch::ticks()};
    const crypto::Sha256::Digest seed = seed_for(nonce[0]);
    Generator made{kReseedInterval};
    TRY(made.instantiate(seed, bytes_of(nonce), last));
    arch::InterruptGuard guard;
    generators.mine().drbg.take_over(made);
    return {};
}

// At most kPiece bytes. A thread that changes its CPU in between renews the generator there, and looks again.
Result<> generate(MutableBytes out) {
    for (;;) {
        crypto::Sha256::Digest last{};
        {
            arch::InterruptGuard guard;
            Generator& own = generators.mine().drbg;
            const bool is_instantiated = own.is_instantiated();
            if (is_instantiated && own.reseed_counter() < kRenewAt) return own.generate(out);
            // When even the last requests are used up by others that renew it, their seeds are good without it.
            if (is_instantiated) (void)own.generate(last);
        }
        const Result<> renewed = renew(last);
        crypto::secure_wipe(last);
        if (!renewed) return renewed;
    }
}

void seed_fixed(std::uint64_t seed) {
    crypto::Sha256 hash;
    hash.update(as_bytes("AIOS seed="));
    hash.update(bytes_of(seed));
    root_secret = hash.finish();
    const std::uint64_t nonce[2] = {};
    Generator made; // under no lock, and long before an agent runs
    (void)made.instantiate(root_secret, bytes_of(nonce), as_bytes("AIOS kernel"));
    fixed_generator.with([&](Generator& drbg) { drbg.take_over(made); });
    log(LogLevel::warning, "seed={}: random numbers are fixed; for development only", seed);
    seeded.store(true, std::memory_order_release);
}

} // namespace

void init_entropy() {
    if (const auto seed = arch::fixed_seed()) return seed_fixed(*seed);
    crypto::Sha256 hash;
    const auto& handoff = arch::hand_off();
    const std::size_t from_loader = std::min<std::size_t>(handoff.seed_bytes, sizeof(handoff.seed));
    hash.update(std::as_bytes(std::span(handoff.seed)).first(from_loader));
    std::byte given[32];
    const std::size_t from_monitor = fw_cfg_read("opt/aios/seed", given).value_or(0);
    hash.update(Bytes(given, from_monitor));
    crypto::secure_wipe(given);
    std::uint64_t words[kSeedWords] = {};
    hardware_good = hardware_words(words);
    hash.update(bytes_of(words));
    bool enough = hardware_good || from_loader >= 32 || from_monitor >= 32;
    // Where nothing better is there, jitter has to do: at a thirtieth of a bit a sample, 8192 samples are 256 bits.
    const bool jitter_good = jitter(hash, enough ? 128 : 8192);
    if (!enough) enough = jitter_good;
    root_secret = hash.finish();
    if (!enough) {
        log(LogLevel::error,
            "no source of randomness: RDRAND, loader seed and timing jitter are missing or do not vary");
        return;
    }
    log_info("entropy: {}{}{}jitter", hardware_good ? "RDRAND " : "", from_loader >= 32 ? "loader " : "",
             from_monitor >= 32 ? "monitor " : "");
    seeded.store(true, std::memory_order_release);
}

Result<> random_bytes(MutableBytes out) {
    if (!seeded.load(std::memory_order_acquire)) return fail(Error::not_ready);
    if (out.size() > kMaxRequest) return fail(Error::too_large);
    while (!out.empty()) {
        const std::size_t now = std::min(out.size(), kPiece);
        if (arch::fixed_seed()) {
            TRY(fixed_generator.with([&](Generator& drbg) { return drbg.generate(out.first(now)); }));
        } else {
            TRY(generate(out.first(now)));
        }
        out = out.subspan(now);
    }
    return {};
}

} // namespace aios::dev

namespace aios::mm::upcall {

// Words are drawn a few at a time: most of what the generator costs, it costs for each request. What was handed out is
// wiped.
std::uint64_t random_word() {
    struct Words {
        std::uint32_t left = 0;
        std::uint64_t words[7] = {};
    };
    static constinit arch::PerCpu<Words> pools;
    {
        arch::InterruptGuard guard;
        Words& pool = pools.mine();
        if (pool.left != 0) return std::exchange(pool.words[--pool.left], 0);
    }
    std::uint64_t drawn[std::size(Words{}.words) + 1] = {};
    if (!dev::random_bytes(std::as_writable_bytes(std::span(drawn)))) return 0;
    arch::InterruptGuard guard;
    Words& pool = pools.mine();
    if (pool.left == 0) { // else somebody was faster: those are thrown away
        std::copy_n(drawn, std::size(pool.words), pool.words);
        pool.left = std::size(pool.words);
    }
    const std::uint64_t word = drawn[std::size(pool.words)];
    crypto::secure_wipe_object(drawn);
    return word;
}

} // namespace aios::mm::upcall
