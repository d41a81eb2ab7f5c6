// COSE_Key of type AKP. See cose_key.hpp.
#include "base/cbor.hpp"
#include "crypto/cose.hpp"
#include "crypto/cose/labels.hpp"
#include "crypto/cose_key.hpp"

namespace aios::crypto {

namespace {

using namespace detail::cose;
using cbor::Decoder;
using cbor::Type;

// Section 7.1: operations by number; others, and those with names, are passed over.
Result<> read_operations(Decoder& in, CoseKey& key) {
    key.may_sign = false;
    key.may_verify = false;
    if (TRY(in.array_begin()) == 0) return fail(Error::bad_format);
    while (TRY(in.array_next())) {
        const Type type = TRY(in.peek());
        if (type == Type::text) {
            TRY(in.text());
            continue;
        }
        const std::int64_t operation = TRY(in.integer());
        key.may_sign = key.may_sign || operation == static_cast<std::int64_t>(kOpSign);
        key.may_verify = key.may_verify || operation == static_cast<std::int64_t>(kOpVerify);
    }
    return {};
}

} // namespace

Result<CoseKey> parse_cose_key(Bytes encoded) {
    Decoder in(encoded);
    CoseKey key{};
    std::optional<std::int64_t> type;
    std::optional<std::int64_t> algorithm;
    std::optional<Bytes> public_key;
    TRY(in.map_begin());
    while (const auto label = TRY(in.next_key())) {
        if (label->type == Type::negative && label->value == 0) {
            public_key = TRY(in.bytes());
            continue;
        }
        if (label->type == Type::negative && label->value == 1) {
            key.seed = TRY(in.bytes());
            continue;
        }
        switch (label->number()) {
        case kKeyType:
            if (TRY(in.peek()) == Type::text) return fail(Error::unsupported);
            type = TRY(in.integer());
            // What follows depends on the type.
            if (*type != static_cast<std::int64_t>(kKeyTypeAkp)) return fail(Error::unsupported);
            break;
        case kKeyId:
            key.key_id = TRY(in.bytes());
            break;
        case kKeyAlg:
            if (TRY(in.peek()) == Type::text) return fail(Error::unsupported);
            algorithm = TRY(in.integer());
            break;
        case kKeyOps:
            TRY(read_operations(in, key));
            break;
        default:
            TRY(in.skip());
            break;
        }
    }
    TRY(in.finish());
    if (!type || !algorithm || !public_key) return fail(Error::bad_format);
    const auto set = set_of_cose_number(*algorithm);
    if (!set) return fail(Error::unsupported);
    if (public_key->size() != public_key_size(*set)) return fail(Error::bad_format);
    if (key.seed && key.seed->size() != MlDsa44::Seed::kSize) return fail(Error::bad_format);
    key.set = *set;
    key.public_key = *public_key;
    return key;
}

Result<Bytes> detail::write_cose_key(MlDsaSet set, Bytes public_key, std::optional<Bytes> seed,
                                     std::optional<Bytes> key_id, MutableBytes out) {
    cbor::Encoder encoder(out);
    encoder.map_open().key(kKeyType).uint(kKeyTypeAkp);
    if (key_id) encoder.key(kKeyId).bytes(*key_id);
    encoder.key(kKeyAlg).integer(cose_number(set));
    encoder.key(kPub).bytes(public_key);
    if (seed) encoder.key(kPriv).bytes(*seed);
    encoder.close();
    const auto encoded = encoder.finish();
    // The encoder's only other error cannot happen here: the labels are in order.
    if (!encoded) return fail(Error::buffer_small);
    return *encoded;
}

} // namespace aios::crypto
