// The one template that all records are encoded from. See encode.hpp.
#include "kernel/audit/encode.hpp"

#include <algorithm>

#include "messages/view.hpp"

namespace aios::audit {

void set_name(Record& record, std::string_view text) {
    const std::string_view fitting = text.substr(0, sizeof(record.name));
    std::ranges::transform(fitting, record.name, [](char c) { return c >= ' ' && c <= '~' ? c : '?'; });
}

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
                                        .name = {},
                                        .trace = {}};
    if (std::ranges::any_of(record.digest, [](std::uint8_t b) { return b != 0; }))
        std::ranges::copy(std::as_bytes(std::span(record.digest)), encoded.digest.emplace().begin());
    std::size_t length = 0;
    while (length < sizeof(record.name) && record.name[length] != '\0')
        ++length;
    if (length != 0) encoded.name = std::string_view(record.name, length);
    std::byte trace[sizeof(TraceId)];
    if (record.trace.high != 0 || record.trace.low != 0) {
        for (unsigned i = 0; i < sizeof(trace); ++i) // as W3C writes it
            trace[i] = static_cast<std::byte>((i < 8 ? record.trace.high : record.trace.low) >> (56 - 8 * (i % 8)));
        encoded.trace = Bytes(trace);
    }
    return messages::encode(out, encoded);
}

} // namespace aios::audit
