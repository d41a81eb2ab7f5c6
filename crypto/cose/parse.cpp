// Decoding of COSE_Sign1 (RFC 9052 sections 3 and 4.2). See cose.hpp. The CBOR decoder refuses what is not
// deterministic, so a map's labels are in order and different; here they are checked against the other map and `crit`.
#include "base/cbor.hpp"
#include "crypto/cose.hpp"
#include "crypto/cose/labels.hpp"

namespace aios::crypto {

namespace {

using namespace detail::cose;
using cbor::Decoder;
using cbor::Key;
using cbor::Type;

// Order of two labels as of their encodings.
bool is_before(const Key& a, const Key& b) {
    if (a.type != b.type) return a.type < b.type;
    if (a.type != Type::text) return a.value < b.value;
    if (a.name.size() != b.name.size()) return a.name.size() < b.name.size();
    return a.name < b.name;
}

// Section 3: no label is in both maps. Both are in order, so one pass is enough.
Result<> check_disjoint(Bytes a_map, Bytes b_map) {
    Decoder a(a_map);
    Decoder b(b_map);
    TRY(a.map_begin());
    TRY(b.map_begin());
    auto a_key = TRY(a.next_key());
    auto b_key = TRY(b.next_key());
    while (a_key && b_key) {
        if (is_before(*a_key, *b_key)) {
            TRY(a.skip());
            a_key = TRY(a.next_key());
        } else if (is_before(*b_key, *a_key)) {
            TRY(b.skip());
            b_key = TRY(b.next_key());
        } else {
            return fail(Error::bad_format);
        }
    }
    return {};
}

Result<> read_content_type(Decoder& in, CoseHeader& header) {
    if (TRY(in.peek()) == Type::text) {
        header.content_type = TRY(in.text());
    } else {
        header.content_format = TRY(in.uint());
    }
    return {};
}

// What `crit` lists must be known, and be in this map: of the labels that are known, those that were read so far or
// come later.
struct CriticalLabels {
    bool content_type = false;
    bool key_id = false;
};

Result<> read_critical(Decoder& in, CriticalLabels& critical) {
    if (TRY(in.array_begin()) == 0) return fail(Error::bad_format);
    while (TRY(in.array_next())) {
        const Type type = TRY(in.peek());
        if (type == Type::uint) {
            switch (TRY(in.uint())) {
            case kAlg:
            case kCrit:
                break; // always there
            case kContentType:
                critical.content_type = true;
                break;
            case kKid:
                critical.key_id = true;
                break;
            default:
                return fail(Error::unsupported);
            }
        } else {
            return fail(type == Type::negative || type == Type::text ? Error::unsupported : Error::bad_format);
        }
    }
    return {};
}

Result<> read_protected(Bytes map, CoseSign1& message) {
    Decoder in(map);
    std::optional<std::int64_t> algorithm;
    CriticalLabels critical;
    TRY(in.map_begin());
    while (const auto key = TRY(in.next_key())) {
        switch (key->number()) {
        case kAlg:
            // Registered algorithms also have text for a name; none of ours has.
            if (TRY(in.peek()) == Type::text) return fail(Error::unsupported);
            algorithm = TRY(in.integer());
            break;
        case kCrit:
            TRY(read_critical(in, critical));
            break;
        case kContentType:
            TRY(read_content_type(in, message.header));
            break;
        case kKid:
            message.header.key_id = TRY(in.bytes());
            break;
        default:
            TRY(in.skip());
            break;
        }
    }
    TRY(in.finish());
    if (!algorithm) return fail(Error::bad_format);
    const auto set = set_of_cose_number(*algorithm);
    if (!set) return fail(Error::unsupported);
    message.set = *set;
    const bool has_content_type = message.header.content_format || message.header.content_type;
    if ((critical.content_type && !has_content_type) || (critical.key_id && !message.header.key_id)) {
        return fail(Error::bad_format);
    }
    return {};
}

Result<> read_unprotected(Bytes map, CoseHeader& header) {
    Decoder in(map);
    TRY(in.map_begin());
    while (const auto key = TRY(in.next_key())) {
        switch (key->number()) {
        case kAlg:  // only where it is signed
        case kCrit: // section 3.1
            return fail(Error::bad_format);
        case kContentType:
            TRY(read_content_type(in, header));
            break;
        case kKid:
            header.key_id = TRY(in.bytes());
            break;
        default:
            TRY(in.skip());
            break;
        }
    }
    return in.finish();
}

// The four items of the array; the maps are not looked into yet.
Result<Bytes> read_items(Bytes encoded, CoseTag tag, CoseSign1& message) {
    Decoder in(encoded);
    if (tag == CoseTag::sign1) TRY(in.tag(kSign1Tag));
    if (TRY(in.array_begin()) != 4) return fail(Error::bad_format);
    message.protected_header = TRY(in.bytes());
    if (TRY(in.peek()) != Type::map) return fail(Error::bad_format);
    const Bytes unprotected = TRY(in.raw());
    if (TRY(in.peek()) == Type::null) {
        TRY(in.null());
    } else {
        message.payload = TRY(in.bytes());
    }
    message.signature = TRY(in.bytes());
    TRY(in.end());
    TRY(in.finish());
    return unprotected;
}

} // namespace

Result<CoseSign1> parse_cose_sign1(Bytes encoded, CoseTag tag) {
    CoseSign1 message{};
    const Bytes unprotected = TRY(read_items(encoded, tag, message));
    TRY(read_protected(message.protected_header, message));
    TRY(check_disjoint(message.protected_header, unprotected));
    TRY(read_unprotected(unprotected, message.header));
    if (message.signature.size() != signature_size(message.set)) return fail(Error::bad_format);
    return message;
}

} // namespace aios::crypto
