// The kinds of audit records (abi/audit_kinds.def) as a type, with their names.
#pragma once

#include <cstdint>
#include <string_view>

namespace aios {

enum class AuditKind : std::uint8_t {
#define AUDIT_KIND(name, number, sentence) name = (number),
#include "abi/audit_kinds.def"
#undef AUDIT_KIND
};

struct AuditKindRow {
    AuditKind kind;
    std::string_view name, sentence;
};
inline constexpr AuditKindRow kAuditKinds[] = {
#define AUDIT_KIND(name, number, sentence) {AuditKind::name, #name, sentence},
#include "abi/audit_kinds.def"
#undef AUDIT_KIND
};

} // namespace aios
