// Ref<T>: a counted reference to an object that carries its own count. T provides retain() and release(), where
// release() destroys the object when the last reference goes; both may be called from any CPU if T's count is atomic
// (RefCount is).
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/assert.hpp"
#include "base/types.hpp"

namespace aios {

// The count itself, born at one (the reference of whoever creates the object).
class RefCount : Pinned {
public:
    // Relaxed is enough: whoever adds a reference holds one already.
    void retain() {
        const std::uint32_t old = count_.fetch_add(1, std::memory_order_relaxed);
        AIOS_ASSERT(old != 0 && old < kMaximum);
    }

    // For look-ups through a pointer that owns nothing: false if the object is already going away.
    [[nodiscard]] bool try_retain() {
        std::uint32_t old = count_.load(std::memory_order_relaxed);
        while (old != 0) {
            AIOS_ASSERT(old < kMaximum);
            if (count_.compare_exchange_weak(old, old + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }

    // True if this was the last reference: the caller then destroys the object. Release orders our writes before the
    // destruction, acquire orders the destruction after everybody else's.
    [[nodiscard]] bool release() {
        const std::uint32_t old = count_.fetch_sub(1, std::memory_order_release);
        AIOS_ASSERT(old != 0);
        if (old != 1) return false;
        std::atomic_thread_fence(std::memory_order_acquire);
        return true;
    }

    [[nodiscard]] std::uint32_t value() const { return count_.load(std::memory_order_relaxed); }

private:
    static constexpr std::uint32_t kMaximum = 0x7fff'ffff;
    std::atomic<std::uint32_t> count_ = 1;
};

template <typename T>
class Ref {
public:
    constexpr Ref() = default;
    constexpr Ref(std::nullptr_t) {}

    // Takes over a reference that the caller owns: adopt(new object) after construction.
    [[nodiscard]] static Ref adopt(T* object) {
        Ref ref;
        ref.object_ = object;
        return ref;
    }

    // Adds a reference.
    [[nodiscard]] static Ref share(T& object) {
        object.retain();
        return adopt(&object);
    }

    Ref(const Ref& other) : object_(other.object_) {
        if (object_ != nullptr) object_->retain();
    }
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}

    // A Ref to a derived class is a Ref to its base.
    template <typename U>
        requires(!std::same_as<U, T> && std::convertible_to<U*, T*>)
    Ref(const Ref<U>& other) : object_(other.get()) {
        if (object_ != nullptr) object_->retain();
    }
    template <typename U>
        requires(!std::same_as<U, T> && std::convertible_to<U*, T*>)
    Ref(Ref<U>&& other) : object_(other.leak()) {}

    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }

    ~Ref() {
        if (object_ != nullptr) object_->release();
    }

    [[nodiscard]] T* get() const { return object_; }
    T& operator*() const {
        AIOS_ASSERT(object_ != nullptr);
        return *object_;
    }
    T* operator->() const {
        AIOS_ASSERT(object_ != nullptr);
        return object_;
    }
    explicit operator bool() const { return object_ != nullptr; }

    // Gives the reference to the caller, who must release it (or adopt it again).
    [[nodiscard]] T* leak() { return std::exchange(object_, nullptr); }

    void reset() { *this = Ref(); }

    friend bool operator==(const Ref& a, const Ref& b) { return a.object_ == b.object_; }
    friend bool operator==(const Ref& a, std::nullptr_t) { return a.object_ == nullptr; }
    friend bool operator==(const Ref& a, const T* b) { return a.object_ == b; }

private:
    T* object_ = nullptr;
};

// A reference to a U known, by a type tag checked before, to be a T.
template <typename T, typename U>
[[nodiscard]] Ref<T> static_ref_cast(Ref<U> ref) {
    return Ref<T>::adopt(static_cast<T*>(ref.leak()));
}

} // namespace aios
