// The native calls inside the kernel. abi/calls.def is the one table: this header turns each row into the declaration
// of its handler, dispatch.cpp into a row of the dispatch table. The common prologue looks up the handle in the first
// argument with the row's type and right, and reserves the audit record of an `always` call; the common epilogue
// records what was granted or refused. A handler decodes, reserves and commits; the files *_calls.cpp hold them by
// subject.
#pragma once

#include "abi/call_types.hpp"
#include "kernel/agent/agent.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/mm/user_memory.hpp"

namespace aios::syscall {

// What a call answers: the value for rax, or why it was refused.
using Answer = cap::Permitted<std::uint64_t>;

enum class AuditClass : std::uint8_t { never, refusal, always };

// One call under way.
struct Call {
    Agent& agent;
    Process& process;
    std::uint64_t number;
    const std::uint64_t (&values)[6];
    cap::Checked<Object> first{};    // the object of the first argument; empty where the row says `none` or `any`
    audit::Record* record = nullptr; // of a call of class `always`: handlers add details

    template <typename T>
    [[nodiscard]] T& object() const {
        AIOS_ASSERT(first.object && first.object->type() == T::kType); // the table's row and the handler agree
        return static_cast<T&>(*first.object);
    }
    // A further handle among the arguments.
    template <typename T>
    cap::Permitted<cap::Checked<T>> lookup(Handle handle, Rights rights) {
        return agent.table().lookup<T>(handle, rights);
    }
    // The self handle must be one's own: nobody maps, spawns or runs threads in another agent.
    [[nodiscard]] Result<> check_self() const {
        return first.object.get() == &agent ? Result<>() : fail(Error::bad_argument);
    }
    [[nodiscard]] mm::AddressSpace& memory() const { return process.memory(); }
    [[nodiscard]] Quota& quota() const { return agent.quota(); }
    // A handle for a new object in the caller's table.
    Answer give(Ref<Object> object, Rights rights) { return agent.table().insert_new(std::move(object), rights); }
};

// What a parameter of the call table becomes in the kernel. `void` and `char` are bytes whose number comes in another argument.
template <typename T>
struct UserArgument {
    using Type = T;
};
template <typename T>
struct UserArgument<const T*> {
    using Type = UserIn<T>;
};
template <typename T>
struct UserArgument<T*> {
    using Type = UserInOut<T>;
};
template <>
struct UserArgument<const void*> {
    using Type = UserIn<std::byte>;
};
template <>
struct UserArgument<void*> {
    using Type = UserOut<std::byte>;
};

template <typename Signature>
struct Handler;
template <typename... A>
struct Handler<void(A...)> {
    using Type = Answer(Call&, typename UserArgument<A>::Type...);
};

// One function a row: Answer calls::ipc_send(Call&, Handle, UserIn<Message>), ...
namespace calls {
#define CALL(number, name, document_name, object, right, audit, restart, charge, arguments)                            \
    Handler<void arguments>::Type name;
#include "abi/calls.def"
#undef CALL
} // namespace calls

// Performs the call; the value for rax.
std::int64_t dispatch(Process& process, std::uint64_t number, const std::uint64_t (&values)[6]);

// The column `restart` of a call; `outcome` if there is none of that number.
[[nodiscard]] Restart restart_of(std::uint64_t number);
// Trace name of a call ("IPCSend"), or "unknown".
[[nodiscard]] const char* call_name(std::uint64_t number);

} // namespace aios::syscall
