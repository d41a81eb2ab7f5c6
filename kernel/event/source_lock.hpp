// The lock of a source: one of a fixed set, so that it outlives the source. Only kernel/event.
#pragma once

#include "kernel/sync/lock.hpp"

namespace aios::event {

class Source;
using SourceLock = sync::SpinLock<sync::Rank::event_source>;
[[nodiscard]] SourceLock& lock_of(const Source* source);

} // namespace aios::event
