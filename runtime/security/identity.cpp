#include "runtime/security/identity.hpp"

#include "crypto/sha2.hpp"

namespace aios::security {

Result<Digest> record_digest(const Digest& identity, const Digest& manifest, const std::vector<std::string>& offers) {
    const messages::owned::IdentityRecordText record{.identity = identity, .manifest = manifest, .offers = offers};
    return crypto::Sha256::hash(TRY(messages::encode(record)));
}

} // namespace aios::security
