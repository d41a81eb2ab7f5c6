// Takes batches of documents into an index: new ones are added, the same ones once more are no change, and a document
// with another text than before takes the place of the old one. Pure, so that host tests can exercise it.
#pragma once

#include <string>

#include "runtime/memory/index_builder.hpp"

namespace aios::memory {

// `batch` is a CBOR array of [name bytes, contents bytes]. Whoever wrote it may change it while it is read: every
// length is checked as it is read, and bytes are copied once. On failure `name` says at which document; what came
// before it in the batch was added, and nothing was replaced.
Result<> take_in(IndexBuilder& builder, Bytes batch, std::string& name);

} // namespace aios::memory
