#include "services/memoryd/intake.hpp"

#include <vector>

#include "base/cbor.hpp"

namespace aios::memory {

Result<> take_in(IndexBuilder& builder, Bytes batch, std::string& name) {
    name = "the batch";
    cbor::Decoder in(batch);
    std::vector<IndexBuilder::Changed> changes;
    TRY(in.array_begin());
    while (TRY(in.array_next())) {
        if (TRY(in.array_begin()) != 2) return fail(Error::bad_format);
        const Bytes path = TRY(in.bytes());
        name.assign(reinterpret_cast<const char*>(path.data()), path.size()); // SAFETY: bytes as characters
        const Bytes contents = TRY(in.bytes());
        TRY(in.end());
        const auto added = builder.add(name, contents);
        if (added) continue;
        if (added.error() != Error::already_exists) return added;
        const std::string text(reinterpret_cast<const char*>(contents.data()), contents.size()); // SAFETY: the same
        if (text != builder.text_of(name)) changes.push_back({name, text});
    }
    TRY(in.finish());
    if (changes.empty()) return {};
    name = changes.front().name;
    return builder.replace(changes);
}

} // namespace aios::memory
