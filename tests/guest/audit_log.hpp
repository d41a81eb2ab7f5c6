// Reading the audit log back: records as the kernel encoded them (abi/messages.cddl section 5).
#pragma once

#include "abi/audit_kinds.hpp"
#include "messages/view.hpp"
#include "tests/guest/test.hpp"

namespace guest {

struct LogRecord {
    std::uint64_t index = 0, time_ns = 0, kind = 0, agent = 0, subject = 0, call = 0, detail[3] = {}, count = 0;
    char name[kMaxAuditText + 1] = {};
    TraceId trace = {};
    [[nodiscard]] bool is(AuditKind wanted) const { return kind == static_cast<std::uint64_t>(wanted); }
    [[nodiscard]] bool has_details(std::uint64_t a, std::uint64_t b, std::uint64_t c) const {
        return detail[0] == a && detail[1] == b && detail[2] == c;
    }
};

[[nodiscard]] inline bool same(const TraceId& a, const TraceId& b) { return a.high == b.high && a.low == b.low; }

inline Result<LogRecord> decode_record(Bytes bytes) {
    const auto encoded = TRY(messages::decode<messages::view::AuditRecord>(bytes));
    LogRecord record{.index = encoded.index,
                     .time_ns = encoded.time_ns,
                     .kind = encoded.kind,
                     .agent = encoded.agent,
                     .subject = encoded.subject,
                     .call = encoded.call,
                     .detail = {encoded.detail[0], encoded.detail[1], encoded.detail[2]},
                     .count = encoded.count};
    const std::string_view name = encoded.name.value_or("");
    for (std::size_t i = 0; i < name.size() && i < sizeof(record.name) - 1; ++i)
        record.name[i] = name[i];
    if (encoded.trace) {
        if (encoded.trace->size() != sizeof(TraceId)) return fail(Error::bad_format);
        for (unsigned i = 0; i < sizeof(TraceId); ++i) {
            std::uint64_t& half = i < 8 ? record.trace.high : record.trace.low;
            half = half << 8 | static_cast<std::uint64_t>((*encoded.trace)[i]);
        }
    }
    return record;
}

inline Result<LogRecord> read_record(std::uint64_t index) {
    std::byte bytes[512];
    const std::uint64_t size = TRY(sys::log_read(handle(StartupRole::log), index, bytes, sizeof(bytes)));
    return decode_record(Bytes(bytes, size));
}

inline std::uint64_t log_size() {
    LogInfo info{};
    if (!sys::log_info(handle(StartupRole::log), &info)) failed("log_info", __LINE__);
    return info.records;
}

// Each record from `from` to the end of the log; false if one cannot be read.
template <typename F>
bool for_each_record(std::uint64_t from, F&& function) {
    for (const std::uint64_t end = log_size(); from < end; ++from) {
        const auto record = read_record(from);
        if (!record || record->index != from) return false;
        function(*record);
    }
    return true;
}

} // namespace guest
