// An object with nothing but events.
#pragma once

#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"

namespace aios::test {

class Thing final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::memory;
    Thing() : Object(kType, {}) {}
    event::Source* event_source() override { return &source; }
    void handle_removed(Rights) override { source.drop_ended(); }
    void revoked_for(std::uint64_t) override { source.drop_ended(); }
    event::Source source;
};

inline Ref<Thing> make_thing() { return Ref<Thing>::adopt(*mm::make<Thing>()); }

} // namespace aios::test
