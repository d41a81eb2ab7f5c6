// AES-GCM with VAES and VPCLMULQDQ: registers of two blocks, sixteen blocks at once. Keys are those of Instructions.
// See gcm_batch.hpp.
#include "crypto/aes/gcm.hpp"
#include "crypto/aes/gcm_batch.hpp"

namespace aios::crypto::detail::aes {

void WideInstructions::prepare(const Block& h, std::size_t text, HashKey& key) {
    const FieldElement prepared =
        divide_by_x({load_be<std::uint64_t>(h.bytes.data()), load_be<std::uint64_t>(h.bytes.data() + 8)});
    Batch<Wide>::prepare(_mm_set_epi64x(static_cast<long long>(prepared.high), static_cast<long long>(prepared.low)),
                         text, key);
}

void WideInstructions::ghash(const HashKey& key, Block& hash, Bytes data) { Batch<Wide>::ghash(key, hash, data); }

void WideInstructions::gctr(const RoundKeys& keys, Block& counter, Bytes in, MutableBytes out) {
    Batch<Wide>::gctr(keys, counter, in, out);
}

void WideInstructions::gctr_and_ghash(const RoundKeys& keys, Block& counter, const HashKey& key, Block& hash, Bytes in,
                                      MutableBytes out) {
    Batch<Wide>::gctr_and_ghash(keys, counter, key, hash, in, out);
}

} // namespace aios::crypto::detail::aes
