// Object ids: a counter that starts at 1 and never repeats within a boot.
#include "kernel/object/object.hpp"

namespace aios {

namespace {
constinit std::atomic<std::uint64_t> g_next_object_id{1};
}

Object::Object(ObjectType type, Reservation charge)
    : type_(type), id_(g_next_object_id.fetch_add(1, std::memory_order_relaxed)), charge_(std::move(charge)) {}

} // namespace aios
