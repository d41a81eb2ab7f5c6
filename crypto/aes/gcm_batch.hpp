// The mode's two loops by instructions, over a register of one block or two (gcm_vectors.hpp): eight registers at once.
// Encryption hashes the batch before between the rounds of the next one, so that all units of the processor are busy.
//
// The hash key holds x^-1 times H, H^2, ... up to one power for each block of a batch (only as many as the message
// needs), the highest first: a batch of n blocks is multiplied by H^n ... H and reduced once. A product is taken apart
// as Karatsuba does, into three of halves; the sums of the powers' halves stand beside the powers.
//
// Constant time: no branch and no address depends on more than lengths, and the instructions take the same time for
// all operands (Intel SDM volume 1 section 12.13).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bits.hpp"
#include "base/bytes.hpp"
#include "crypto/aes/gcm.hpp"
#include "crypto/aes/gcm_vectors.hpp"
#include "crypto/aes/ghash.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto::detail::aes {

namespace {

// A sum of products that is not reduced yet, in each lane.
template <typename V>
struct Product {
    using Vector = typename V::Vector;
    Vector low = V::zero();
    Vector middle = V::zero(); // of the sums of halves
    Vector high = V::zero();

    // Adds a * b, where `b_sum` has the sum of b's halves in its lower one.
    [[gnu::always_inline]] void add(Vector a, Vector b, Vector b_sum) {
        low = V::add(low, V::template multiply<0x00>(a, b));
        high = V::add(high, V::template multiply<0x11>(a, b));
        middle = V::add(middle, V::template multiply<0x00>(V::add(a, V::swap_halves(a)), b_sum));
    }

    // The sum of all lanes.
    [[gnu::always_inline]] [[nodiscard]] Product<Narrow> folded() const {
        return {V::sum_of_lanes(low), V::sum_of_lanes(middle), V::sum_of_lanes(high)};
    }

    // Each of the two low words, times x^7 + x^2 + x + 1, is added 128 places higher; see ghash_portable.cpp.
    [[gnu::always_inline]] [[nodiscard]] Vector reduced() const {
        const Vector reduction = V::broadcast(_mm_set_epi64x(0, static_cast<long long>(kReduction)));
        const Vector cross = V::add(middle, V::add(low, high));
        Vector below = V::add(low, V::low_half_up(cross));
        const Vector above = V::add(high, V::high_half_down(cross));
        for (int word = 0; word < 2; ++word)
            below = V::add(V::swap_halves(below), V::template multiply<0x00>(below, reduction));
        return V::add(above, below);
    }
};

template <typename V>
class Batch {
public:
    using Vector = typename V::Vector;
    static constexpr std::size_t kVectors = 8;
    static constexpr std::size_t kBlocks = kVectors * V::kBlocks;
    static constexpr std::size_t kSize = kBlocks * kBlockSize;
    static_assert(kBlocks <= HashKey::kMostPowers);

    // From H, read big-endian and divided by x, for runs of up to `text` bytes.
    static void prepare(__m128i h, std::size_t text, HashKey& key) {
        const std::size_t needed = std::clamp<std::size_t>(div_ceil(text, kBlockSize), 1, kBlocks);
        set_power(key, 1, h);
        // One multiplication by H^n makes the powers up to 2n of those up to n.
        std::size_t known = 1;
        for (; known < V::kBlocks; ++known)
            set_power(key, known + 1, product<Narrow>(load_power(key, known), h));
        for (; known < needed; known *= 2) {
            const Vector by = V::broadcast(load_power(key, known));
            for (std::size_t power = V::kBlocks; power <= known; power += V::kBlocks) {
                const Vector next = product<V>(V::load(place(key, power)), by);
                V::store(place(key, power + known), next);
                V::store(place_of_sum(key, power + known), V::add(next, V::swap_halves(next)));
            }
        }
    }

    static void ghash(const HashKey& key, Block& hash, Bytes data) {
        if (data.empty()) return;
        __m128i state = element<Narrow>(&hash);
        for (; data.size() >= kSize; data = data.subspan(kSize))
            state = hash_batch(key, state, data.data());
        if (!data.empty()) state = hash_few(key, state, data);
        Narrow::store(&hash, reversed<Narrow>(state));
    }

    static void gctr(const RoundKeys& keys, Block& counter, Bytes in, MutableBytes out) {
        Vector next = first_counters(counter);
        std::size_t at = 0;
        for (; in.size() - at >= kSize; at += kSize) {
            Vector block[kVectors];
            count(next, block);
            encrypt(keys, block, [](unsigned) __attribute__((always_inline)) {});
            add_stream(block, in.data() + at, out.data() + at);
        }
        const std::size_t rest = in.size() - at;
        store_counter(counter, at / kBlockSize + div_ceil(rest, kBlockSize));
        if (rest > 0) crypt_rest(keys, next, in.subspan(at), out.subspan(at));
    }

    static void gctr_and_ghash(const RoundKeys& keys, Block& counter, const HashKey& key, Block& hash, Bytes in,
                               MutableBytes out) {
        std::size_t at = 0;
        if (in.size() >= kSize) {
            Vector next = first_counters(counter);
            __m128i state = element<Narrow>(&hash);
            Vector block[kVectors];
            count(next, block);
            encrypt(keys, block, [](unsigned) __attribute__((always_inline)) {});
            add_stream(block, in.data(), out.data());
            for (at = kSize; in.size() - at >= kSize; at += kSize) {
                const std::byte* before = out.data() + at - kSize;
                Product<V> product;
                count(next, block);
                encrypt(keys, block,
                        [&](unsigned i) __attribute__((always_inline)) { hash_step(product, key, state, before, i); });
                state = product.folded().reduced();
                add_stream(block, in.data() + at, out.data() + at);
            }
            state = hash_batch(key, state, out.data() + at - kSize);
            store_counter(counter, at / kBlockSize);
            Narrow::store(&hash, reversed<Narrow>(state));
        }
        gctr(keys, counter, in.subspan(at), out.subspan(at));
        ghash(key, hash, out.subspan(at));
    }

private:
    // Where the powers stand that a vector holds whose first lane has H^power.
    static const std::uint64_t* place(const HashKey& key, std::size_t power) {
        return &key.words[2 * (HashKey::kMostPowers - power)];
    }
    static const std::uint64_t* place_of_sum(const HashKey& key, std::size_t power) {
        return &key.sums[2 * (HashKey::kMostPowers - power)];
    }
    static std::uint64_t* place(HashKey& key, std::size_t power) {
        return &key.words[2 * (HashKey::kMostPowers - power)];
    }
    static std::uint64_t* place_of_sum(HashKey& key, std::size_t power) {
        return &key.sums[2 * (HashKey::kMostPowers - power)];
    }
    static __m128i load_power(const HashKey& key, std::size_t power) { return Narrow::load(place(key, power)); }
    static void set_power(HashKey& key, std::size_t power, __m128i value) {
        Narrow::store(place(key, power), value);
        Narrow::store(place_of_sum(key, power), Narrow::add(value, Narrow::swap_halves(value)));
    }

    template <typename W>
    static typename W::Vector product(typename W::Vector a, typename W::Vector b) {
        Product<W> one;
        one.add(a, b, W::add(b, W::swap_halves(b)));
        return one.reduced();
    }

    template <typename W>
    [[gnu::always_inline]] static typename W::Vector reversed(typename W::Vector block) {
        return W::shuffle(block, W::broadcast(_mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f)));
    }
    // A block as a FieldElement: high word in the upper half.
    template <typename W>
    [[gnu::always_inline]] static typename W::Vector element(const void* from) {
        return reversed<W>(W::load(from));
    }

    // A counter block as four 32-bit words whose last one can be counted up; and back.
    [[gnu::always_inline]] static Vector countable(Vector block) {
        return V::shuffle(block, V::broadcast(_mm_set_epi64x(0x0c0d0e0f0b0a0908, 0x0706050403020100)));
    }
    static Vector first_counters(const Block& counter) {
        return V::count_up(countable(V::broadcast(Narrow::load(&counter))), V::lane_numbers());
    }
    static void store_counter(Block& counter, std::size_t blocks) {
        std::byte* const number = counter.bytes.data() + 12;
        store_be(number, load_be<std::uint32_t>(number) + static_cast<std::uint32_t>(blocks));
    }

    // The next counter blocks.
    [[gnu::always_inline]] static void count(Vector& counter, Vector (&block)[kVectors]) {
        const Vector step = V::broadcast(_mm_set_epi32(static_cast<int>(V::kBlocks), 0, 0, 0));
        for (std::size_t i = 0; i < kVectors; ++i) {
            block[i] = countable(counter);
            counter = V::count_up(counter, step);
        }
    }

    // CIPHER (FIPS 197 section 5.1) on a batch. `between(i)` runs after round i + 1, for i = 0 to 7.
    template <typename Between>
    [[gnu::always_inline]] static void encrypt(const RoundKeys& keys, Vector (&block)[kVectors],
                                               const Between& between) {
        const auto round_key = [&](unsigned round) __attribute__((always_inline)) {
            return V::broadcast(Narrow::load(&keys.words[2 * std::size_t{round}]));
        };
        const auto round = [&](unsigned number) __attribute__((always_inline)) {
            const Vector key = round_key(number);
            for (std::size_t i = 0; i < kVectors; ++i)
                block[i] = V::encrypt_round(block[i], key);
        };
        const Vector first = round_key(0);
        for (std::size_t i = 0; i < kVectors; ++i)
            block[i] = V::add(block[i], first);
        for (unsigned i = 0; i < kVectors; ++i) {
            round(i + 1);
            between(i);
        }
        for (unsigned number = kVectors + 1; number < keys.rounds; ++number)
            round(number);
        const Vector last = round_key(keys.rounds);
        for (std::size_t i = 0; i < kVectors; ++i)
            block[i] = V::encrypt_last(block[i], last);
    }

    [[gnu::always_inline]] static void add_stream(const Vector (&stream)[kVectors], const std::byte* in,
                                                  std::byte* out) {
        for (std::size_t i = 0; i < kVectors; ++i)
            V::store(out + sizeof(Vector) * i, V::add(stream[i], V::load(in + sizeof(Vector) * i)));
    }

    // Less than a batch.
    static void crypt_rest(const RoundKeys& keys, Vector next, Bytes in, MutableBytes out) {
        Vector block[kVectors];
        count(next, block);
        encrypt(keys, block, [](unsigned) __attribute__((always_inline)) {});
        std::array<Block, kBlocks> stream;
        for (std::size_t i = 0; i < kVectors; ++i)
            V::store(&stream[i * V::kBlocks], block[i]);
        std::size_t at = 0;
        for (; at + kBlockSize <= in.size(); at += kBlockSize)
            Narrow::store(out.data() + at,
                          Narrow::add(Narrow::load(&stream[at / kBlockSize]), Narrow::load(in.data() + at)));
        for (; at < in.size(); ++at)
            out[at] = in[at] ^ stream[at / kBlockSize].bytes[at % kBlockSize];
        secure_wipe_object(stream);
    }

    // Adds less than a batch to the hash; the last block may be short.
    static __m128i hash_few(const HashKey& key, __m128i hash, Bytes data) {
        Product<Narrow> sum;
        for (std::size_t power = div_ceil(data.size(), kBlockSize); power > 0; --power) {
            Block block;
            const std::size_t size = std::min(data.size(), kBlockSize);
            std::copy_n(data.begin(), size, block.bytes.begin());
            sum.add(Narrow::add(hash, element<Narrow>(&block)), load_power(key, power),
                    Narrow::load(place_of_sum(key, power)));
            hash = Narrow::zero();
            data = data.subspan(size);
        }
        return sum.reduced();
    }

    // Vector `i` of a batch.
    [[gnu::always_inline]] static void hash_step(Product<V>& sum, const HashKey& key, __m128i hash,
                                                 const std::byte* from, std::size_t i) {
        Vector blocks = element<V>(from + sizeof(Vector) * i);
        if (i == 0) blocks = V::add(blocks, V::first_only(hash));
        const std::size_t power = kBlocks - i * V::kBlocks;
        sum.add(blocks, V::load(place(key, power)), V::load(place_of_sum(key, power)));
    }

    static __m128i hash_batch(const HashKey& key, __m128i hash, const std::byte* from) {
        Product<V> sum;
        for (std::size_t i = 0; i < kVectors; ++i)
            hash_step(sum, key, hash, from, i);
        return sum.folded().reduced();
    }
};

} // namespace

} // namespace aios::crypto::detail::aes
