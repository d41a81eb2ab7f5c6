// Capability tables and derivation. A table maps handles (slot, generation, rights) to objects; each entry caches its
// derivation node, and a lookup loads that node's one `live` word. Derivation nodes form a tree (depth at most 64) charged to
// whoever derives. Locks: Rank::cap_table, Rank::derivation.
#pragma once

#include "abi/call_types.hpp"
#include "kernel/object/object.hpp"

namespace aios::cap {

// A node of the derivation tree: one `live` word that every lookup loads. The tree's links are private to derivation.cpp.
class DerivationNode {
public:
    [[nodiscard]] bool is_live() const { return live_.load(std::memory_order_acquire); }
    void retain();
    void release();
    DerivationNode(const DerivationNode&) = delete;

private:
    friend struct DerivationTree; // derivation.cpp
    DerivationNode() = default;
    ~DerivationNode() = default;
    std::atomic<bool> live_{true};
};

// A capability outside a table: in a queued message, in a spawn request. Dies with its derivation like one inside.
struct Capability {
    Ref<Object> object;
    Rights rights;
    Ref<DerivationNode> node;
    [[nodiscard]] bool is_live() const;
};

// What a lookup answers; keeps the object alive for the length of the call.
template <typename T>
struct Checked {
    Ref<T> object;
    Rights rights;
    Ref<DerivationNode> node;
};

class Table {
public:
    // `holder` is the agent id that owns the table; each entry is charged to `payer` as Resource::handles.
    static Result<Ref<Table>> create(Payer& payer, std::uint64_t holder);
    void retain();
    void release();

    // A handle for a new object: a fresh root of derivation.
    Result<Handle> insert_new(Ref<Object> object, Rights rights);
    // A handle for a capability that was received. revoked if it died on the way; quota_exceeded leaves it untouched.
    Result<Handle> insert(Capability capability);

    // The one check: type before rights. bad_handle, wrong_type, missing_right, revoked. Counts the outcome by kind
    // (observe) and, where the call's audit class says so, records the refusal.
    template <typename T>
    Result<Checked<T>> lookup(Handle handle, Rights needed) {
        Checked<Object> found = TRY(lookup_any(handle, T::kType, needed));
        return Checked<T>{static_ref_cast<T>(std::move(found.object)), found.rights, std::move(found.node)};
    }
    Result<Checked<Object>> lookup_any(Handle handle, ObjectType type, Rights needed); // ObjectType::any matches all

    Result<Handle> derive(Handle handle, Rights rights);              // same table; needs rights::derive
    Result<Capability> derive_out(Handle handle, Rights rights, Rights needed); // for a message or spawn: a child node
    Result<> revoke(Handle handle); // everything derived from it, in preemptible chunks; the handle itself stays
    Result<> close(Handle handle);
    void close_all(); // the holder ends
    [[nodiscard]] std::uint64_t holder() const;

    Table(const Table&) = delete;

private:
    struct State;
    explicit Table(State* state) : state_(state) {}
    ~Table();
    State* state_;
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    template <typename T>
    friend void mm::destroy(T*);
};

} // namespace aios::cap
