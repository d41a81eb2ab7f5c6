// The base of every kernel object: type, id, reference count, and who pays for it. Objects are reached through handles
// (kernel/cap); the count falls to zero when the last handle, mapping and internal reference are gone.
#pragma once

#include <atomic>

#include "abi/rights.hpp"
#include "base/ref.hpp"
#include "kernel/mm/mm.hpp"

namespace aios {
namespace event {
class Source;
}

class Object {
public:
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    [[nodiscard]] ObjectType type() const { return type_; }
    [[nodiscard]] std::uint64_t id() const { return id_; } // unique for the boot
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) last_reference_gone();
    }
    [[nodiscard]] virtual std::uint64_t info_size() const { return 0; } // HandleInfo.size
    // What event_register listens to (kernel/object/source.hpp); nullptr: the object has no events.
    [[nodiscard]] virtual event::Source* event_source() { return nullptr; }

    // A handle on the object was installed or went away (closed, revoked, its holder ended). Channels count senders and
    // receivers with it. No lock of the capability table is held.
    virtual void handle_added(Rights) {}
    virtual void handle_removed(Rights) {}
    // The capabilities that `holder` had on the object through a revoked derivation are dead: take its mappings away,
    // wake its waiters. `holder` is the agent's principal id.
    virtual void revoked_for(std::uint64_t holder) { (void)holder; }
    virtual ~Object() = default;

protected:
    Object(ObjectType type, Reservation charge);
    virtual void last_reference_gone() { mm::destroy(this); }
    // For ends in a loop (last_reference_gone of a type that holds a reference to its own kind): drops a reference;
    // true if it was the last, and the caller ends the object.
    [[nodiscard]] bool drop_reference() { return references_.release(); }

private:
    RefCount references_;
    const ObjectType type_;
    const std::uint64_t id_;
    Reservation charge_; // memory of the object itself
};

} // namespace aios
