#include "runtime/security/identity.hpp"

#include <algorithm>

#include "base/cbor.hpp"
#include "crypto/sha2.hpp"
#include "runtime/security/offers.hpp"

namespace aios::security {
namespace {

Result<Digest> digest_from(const ipc::Slots& slots, std::string_view name) {
    const Bytes bytes = TRY(slots.bytes(name));
    Digest digest{};
    if (bytes.size() != digest.size()) return fail(Error::bad_format);
    std::ranges::copy(bytes, digest.begin());
    return digest;
}

Result<Identity> identity_from(Result<ipc::Incoming> answer) {
    const ipc::Incoming incoming = TRY(std::move(answer));
    if (!incoming.intent.is_positive()) {
        return fail(incoming.intent.error != Error{} ? incoming.intent.error : Error::bad_state);
    }
    const ipc::Slots& slots = incoming.intent.slots;
    Identity identity;
    identity.agent = static_cast<std::uint64_t>(TRY(slots.integer("agent")));
    identity.name = TRY(slots.text("name"));
    identity.identity = TRY(digest_from(slots, "identity"));
    identity.program = TRY(digest_from(slots, "program"));
    identity.record = TRY(digest_from(slots, "record"));
    for (const ipc::Value& offer : *TRY(slots.array("offers"))) {
        identity.offers.emplace_back(TRY(offer.text()));
    }
    return identity;
}

} // namespace

Result<Digest> record_digest(const Digest& identity, const Digest& manifest, std::span<const std::string> offers) {
    std::byte buffer[kMaxOfferGrants * (ipc::kMaxIntentNameBytes + 4) + 128];
    cbor::Encoder out(buffer);
    out.map(3);
    out.key(0).bytes(identity);
    out.key(1).bytes(manifest);
    out.key(2).array(offers.size());
    for (const std::string& offer : offers) {
        out.text(offer);
    }
    const auto hash = crypto::Sha256::hash(TRY(out.finish()));
    Digest digest{};
    std::ranges::copy(hash, digest.begin());
    return digest;
}

Result<Identity> identity_of(ipc::Peer& identityd, std::uint64_t agent) {
    ipc::Intent request;
    request.performative = ipc::Performative::query;
    request.name = "identity.of";
    request.slots.set("agent", agent);
    return identity_from(identityd.call(request));
}

Result<Identity> register_agent(ipc::Peer& identityd, Handle agent, const Digest& manifest,
                                std::span<const std::string> offers) {
    ipc::Intent request;
    request.name = "identity.register";
    ipc::Array may_offer;
    for (const std::string& offer : offers) {
        may_offer.emplace_back(offer);
    }
    request.slots = {{"manifest", ipc::ByteString(manifest.begin(), manifest.end())}, {"offers", std::move(may_offer)}};
    const HandleGrant grant{agent, (rights::identify | rights::inspect | rights::wait).bits(), 0};
    return identity_from(identityd.call(request, {grant}));
}

} // namespace aios::security
