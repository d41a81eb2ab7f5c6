// Encoding of COSE_Sign1 (RFC 9052 section 4.2) and its protected header. See cose.hpp.
#include "base/cbor.hpp"
#include "crypto/cose.hpp"
#include "crypto/cose/labels.hpp"

namespace aios::crypto::detail {

using namespace cose;

Result<Bytes> write_protected_header(MlDsaSet set, const CoseHeader& header, ProtectedBuffer& out) {
    if (header.key_id && header.key_id->size() > CoseContent::kMaxKeyId) return fail(Error::bad_argument);
    if (header.content_type && header.content_type->size() > CoseContent::kMaxContentType) {
        return fail(Error::bad_argument);
    }
    if (header.content_format && header.content_type) return fail(Error::bad_argument);
    cbor::Encoder encoder(out);
    encoder.map_open().key(kAlg).integer(cose_number(set));
    if (header.content_format) encoder.key(kContentType).uint(*header.content_format);
    if (header.content_type) encoder.key(kContentType).text(*header.content_type);
    if (header.key_id) encoder.key(kKid).bytes(*header.key_id);
    encoder.close();
    return encoder.finish();
}

namespace {

void encode(cbor::Encoder& encoder, const CoseContent& content, Bytes protected_header, Bytes signature) {
    if (content.tag == CoseTag::sign1) encoder.tag(kSign1Tag);
    encoder.array(4).bytes(protected_header).map(0);
    content.is_detached ? encoder.null() : encoder.bytes(content.payload);
    encoder.bytes(signature);
}

} // namespace

Result<std::size_t> cose_sign1_size(MlDsaSet set, const CoseContent& content) {
    ProtectedBuffer buffer;
    const Bytes header = TRY(write_protected_header(set, content.header, buffer));
    // Strings as the encoder writes them; the signature is of a known size and not there yet.
    cbor::Encoder counter = cbor::Encoder::counting();
    encode(counter, content, header, {});
    std::array<std::byte, cbor::kMaxHead> head;
    const std::size_t size = signature_size(set);
    return counter.size() - cbor::bytes_head(0, head) + cbor::bytes_head(size, head) + size;
}

Result<Bytes> write_cose_sign1(const CoseContent& content, Bytes protected_header, Bytes signature, MutableBytes out) {
    cbor::Encoder encoder(out);
    encode(encoder, content, protected_header, signature);
    return encoder.finish();
}

} // namespace aios::crypto::detail
