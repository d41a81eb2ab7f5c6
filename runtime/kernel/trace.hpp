// Traces: what a thread works on, so that the audit log tells which records belong to one request (TraceId in
// abi/call_types.hpp). A trace goes with messages by itself; whoever begins a piece of work says so.
#pragma once

#include <algorithm>
#include <string_view>

#include "runtime/kernel/calls.hpp"

namespace aios {

// The calling thread begins a new trace with `request`, of which the log keeps the first kMaxAuditText bytes. Recorded.
// bad_argument (no text), interrupted.
inline Result<TraceId> begin_trace(std::string_view request) {
    const TraceRequest wanted{
        {}, sys::detail::word(request.data()), std::min<std::uint64_t>(request.size(), kMaxAuditText)};
    TraceId made{};
    TRY(sys::trace_begin(&wanted, &made));
    return made;
}

} // namespace aios
