// The table of calls, and the prologue and epilogue that all of them share. See call.hpp.
#include <array>

#include "abi/first_argument.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::syscall {

namespace {

using Invoker = Answer (*)(Call&);

template <auto Function>
struct Invoke;
template <typename... A, Answer (*Function)(Call&, A...)>
struct Invoke<Function> {
    static_assert(sizeof...(A) <= 6);
    static Answer run(Call& call) { return with(call, std::index_sequence_for<A...>()); }
    template <std::size_t... I>
    static Answer with(Call& call, std::index_sequence<I...>) {
        return Function(call, A(call.values[I])...);
    }
};

struct Row {
    Invoker run = nullptr; // nullptr: no such call
    const char* name = nullptr;
    ObjectType type = ObjectType::any;
    bool has_handle = false; // the prologue checks the first argument
    Rights right{};
    AuditClass audit = AuditClass::never;
    Restart restart = Restart::outcome;
};

enum class Number : std::uint64_t {
#define CALL(number, name, document_name, object, right, audit, restart, charge, arguments) name = (number),
#include "abi/calls.def"
#undef CALL
};

constexpr std::uint64_t kFirst = 4096;
constexpr std::uint64_t kRows = 128;

consteval std::array<Row, kRows> make_rows() {
    std::array<Row, kRows> rows{};
#define CALL(number, call_name, document_name, object, rights_name, audit_class, restart_class, charge, arguments)     \
    static_assert((number) >= kFirst && (number) < kFirst + kRows);                                                    \
    rows[(number) - kFirst] = Row{Invoke<&calls::call_name>::run,                                                      \
                                  document_name,                                                                       \
                                  type_of(FirstArgument::object),                                                      \
                                  type_of(FirstArgument::object) != ObjectType::any,                                   \
                                  rights::rights_name,                                                                 \
                                  AuditClass::audit_class,                                                             \
                                  Restart::restart_class};
#include "abi/calls.def"
#undef CALL
    return rows;
}
constexpr std::array<Row, kRows> kTable = make_rows();

[[gnu::always_inline]] inline Answer checked(Call& call, const Row& row) {
    if (!row.has_handle) return row.run(call);
    call.first = TRY(call.agent.table().lookup_any(call.values[0], row.type, row.right));
    return row.run(call);
}

// A kill, or the caller's own end, does not stand behind other calls.
constexpr audit::Use use_of(std::uint64_t number) {
    const bool ends = number == static_cast<std::uint64_t>(Number::agent_kill) ||
                      number == static_cast<std::uint64_t>(Number::agent_exit);
    return ends ? audit::Use::urgent : audit::Use::call;
}

// The steps that audit.hpp tells of: wait for room, check, make the change, record it. The check comes after the wait,
// so that a capability which dies in the meantime is not used.
[[gnu::noinline]] Answer recorded(Call& call, const Row& row) {
    const audit::Use use = use_of(call.number);
    TRY(audit::wait_for_room(call.agent.audit(), use));
    audit::Record record;
    record.agent = call.agent.id();
    record.call = call.number;
    call.record = &record;
    const Answer result = checked(call, row);
    if (!result) return result;
    if (record.subject == 0 && call.first.object) record.subject = call.first.object->id();
    audit::record(call.agent.audit(), record, use);
    return result;
}

} // namespace

std::int64_t dispatch(Process& process, std::uint64_t number, const std::uint64_t (&values)[6]) {
    const std::uint64_t index = number - kFirst;
    if (index >= kRows || kTable[index].run == nullptr) [[unlikely]]
        return -static_cast<std::int64_t>(Error::unsupported);
    const Row& row = kTable[index];
    Call call{process.agent(), process, number, values};
    const Answer result = row.audit == AuditClass::always ? recorded(call, row) : checked(call, row);
    if (result) [[likely]]
        return static_cast<std::int64_t>(*result);
    const cap::Refusal& refusal = result.error();
    if (row.audit != AuditClass::never && refusal.is_of_authority())
        audit::refused(call.agent.audit(), {call.agent.id(), number, {row.type, row.right}}, refusal);
    return -static_cast<std::int64_t>(Error(refusal));
}

Restart restart_of(std::uint64_t number) {
    const std::uint64_t index = number - kFirst;
    return index < kRows ? kTable[index].restart : Restart::outcome;
}

const char* call_name(std::uint64_t number) {
    const std::uint64_t index = number - kFirst;
    return index < kRows && kTable[index].name != nullptr ? kTable[index].name : "unknown";
}

} // namespace aios::syscall
