// What is known of an agent by its identity: the answer of identityd (abi/messages.def).
#pragma once

#include "messages/owned.hpp"

namespace aios::security {

using Digest = messages::Hash;
using Identity = messages::owned::IdentitySlots;

} // namespace aios::security
