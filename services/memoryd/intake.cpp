#include "services/memoryd/intake.hpp"

#include <vector>

#include "base/bytes.hpp"
#include "messages/view.hpp"

namespace aios::memory {

Result<> take_in(IndexBuilder& builder, Bytes batch, std::string& name) {
    name = "the batch";
    cbor::Decoder in(batch);
    std::vector<IndexBuilder::Changed> changes;
    TRY(in.array_begin());
    while (TRY(in.array_next())) {
        messages::view::DocumentText document;
        TRY(messages::take(in, document));
        name = as_text(document.name);
        const Bytes contents = document.contents;
        const auto added = builder.add(name, contents);
        if (added) continue;
        if (added.error() != Error::already_exists) return added;
        const std::string text(as_text(contents)); // copied once: it may change
        if (text != builder.text_of(name)) changes.push_back({name, text});
    }
    TRY(in.finish());
    if (changes.empty()) return {};
    name = changes.front().name;
    return builder.replace(changes);
}

} // namespace aios::memory
