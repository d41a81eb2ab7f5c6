// An object that counts its handles, for tests of capability tables.
#pragma once

#include <atomic>

#include "kernel/object/object.hpp"

namespace aios::test {

class Thing final : public Object {
public:
    static Ref<Thing> create() { return Ref<Thing>::adopt(*mm::make<Thing>()); }
    Thing() : Object(ObjectType::timer, {}) {}
    void handle_added(Rights) override { ++handles; }
    void handle_removed(Rights) override { --handles; }
    std::atomic<int> handles{0};
};

} // namespace aios::test
