// The stand-in for processor, heap and scheduler in host tests of kernel sources. See kernel_host.cpp.
#pragma once

#include <atomic>
#include <functional>

namespace aios::test {

extern std::atomic<long> heap_live;     // allocations not freed yet
extern std::atomic<long> heap_failures; // >= 0: that many allocations succeed, the rest fail; -1: none fails
extern std::atomic<long> space_notices; // how often address spaces were told that a capability has ended
extern thread_local unsigned cpu;       // which CPU this thread plays
// What else happens on this thread each time before it takes a spinlock: there others may come in between.
extern thread_local std::function<void()>* before_spinlock;

} // namespace aios::test
