#include "runtime/security/identity.hpp"

#include <algorithm>

#include "base/cbor.hpp"
#include "crypto/sha2.hpp"

namespace aios::security {
namespace {

Result<Identity> identity_from(Result<ipc::Incoming> answer) {
    const ipc::Incoming incoming = TRY(std::move(answer));
    if (!incoming.intent.is_positive()) {
        return fail(incoming.intent.error != Error{} ? incoming.intent.error : Error::bad_state);
    }
    const ipc::Slots& slots = incoming.intent.slots;
    Identity identity;
    identity.agent = static_cast<std::uint64_t>(TRY(slots.integer("agent")));
    identity.name = TRY(slots.text("name"));
    identity.program = TRY(slots.text("program"));
    const Bytes digest = TRY(slots.bytes("digest"));
    if (digest.size() != identity.digest.size()) return fail(Error::bad_format);
    std::ranges::copy(digest, identity.digest.begin());
    return identity;
}

} // namespace

Result<std::array<std::byte, 32>> record_digest(const RecordFields& fields) {
    std::byte buffer[kMaxNameBytes + kMaxPathBytes + 128];
    cbor::Encoder out(buffer);
    out.map(5);
    out.key(0).uint(fields.agent);
    out.key(1).uint(fields.parent);
    out.key(2).text(fields.name);
    out.key(3).text(fields.program);
    out.key(4).bytes(fields.manifest);
    const auto digest = crypto::Sha256::hash(TRY(out.finish()));
    std::array<std::byte, 32> bytes{};
    std::ranges::copy(digest, bytes.begin());
    return bytes;
}

Result<Identity> identity_of(ipc::Peer& identityd, std::uint64_t agent) {
    ipc::Intent request;
    request.performative = ipc::Performative::query;
    request.name = "identity.of";
    request.slots.set("agent", agent);
    return identity_from(identityd.call(request));
}

Result<Identity> register_agent(ipc::Peer& identityd, Handle agent, std::string_view program,
                                std::span<const std::byte, 32> manifest) {
    ipc::Intent request;
    request.name = "identity.register";
    request.slots = {{"program", program}, {"manifest", ipc::ByteString(manifest.begin(), manifest.end())}};
    const HandleGrant grant{agent, (rights::identify | rights::inspect | rights::wait).bits(), 0};
    return identity_from(identityd.call(request, {grant}));
}

} // namespace aios::security
