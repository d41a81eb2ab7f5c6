// The one template that all records are encoded from. See encode.hpp.
#include "kernel/audit/encode.hpp"

#include <algorithm>

#include "messages/view.hpp"

namespace aios::audit {

Result<Bytes> encode_record(const Record& record, std::uint64_t index, std::uint64_t time_ns, MutableBytes out) {
    messages::view::AuditRecord encoded{.index = index,
                                        .time_ns = time_ns,
                                        .kind = static_cast<std::uint64_t>(record.kind),
                                        .agent = record.agent,
                                        .subject = record.subject,
                                        .call = record.call,
                                        .detail = std::to_array(record.detail),
                                        .count = record.count,
                                        .digest = {},
                                        .name = {}};
    if (std::ranges::any_of(record.digest, [](std::uint8_t b) { return b != 0; }))
        std::ranges::copy(std::as_bytes(std::span(record.digest)), encoded.digest.emplace().begin());
    std::size_t length = 0;
    while (length < sizeof(record.name) && record.name[length] != '\0')
        ++length;
    if (length != 0) encoded.name = std::string_view(record.name, length);
    return messages::encode(out, encoded);
}

} // namespace aios::audit
