// Names for clang's thread-safety analysis (-Wthread-safety, an error in kernel builds). A lock class is an
// AIOS_CAPABILITY, its guard AIOS_SCOPED; data that a lock cannot own is AIOS_GUARDED_BY(lock); `_locked` functions are
// AIOS_REQUIRES(lock). Nothing here makes code.
#pragma once

#define AIOS_CAPABILITY(name) __attribute__((capability(name)))
#define AIOS_SCOPED __attribute__((scoped_lockable))
#define AIOS_GUARDED_BY(lock) __attribute__((guarded_by(lock)))
#define AIOS_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define AIOS_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define AIOS_TRY_ACQUIRE(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
// For assert_held(): from here on clang takes the lock for held, because a debug build has checked it.
#define AIOS_ASSERT_CAPABILITY(...) __attribute__((assert_capability(__VA_ARGS__)))
#define AIOS_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
// For the few functions that leave or take a lock on another stack, or pick a lock at run time.
#define AIOS_NO_LOCK_ANALYSIS __attribute__((no_thread_safety_analysis))
