// A pointer that owns: one object on the kernel's heap, ended with its pointer unless it is handed on.
#pragma once

#include <utility>

#include "kernel/mm/mm.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::mm {

template <typename T>
class [[nodiscard]] Owned {
public:
    constexpr Owned() = default;
    explicit Owned(T* object) : object_(object) {} // from make()
    Owned(Owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Owned& operator=(Owned&& other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Owned() { destroy(object_); }

    [[nodiscard]] T& operator*() const { return *object_; }
    [[nodiscard]] T* operator->() const { return object_; }
    [[nodiscard]] T* get() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }
    // Whoever takes it ends it.
    [[nodiscard]] T* release() { return std::exchange(object_, nullptr); }

private:
    T* object_ = nullptr;
};

// make(), owned. out_of_memory.
template <typename T, typename... Arguments>
Result<Owned<T>> own(Arguments&&... arguments) {
    return Owned<T>(TRY(make<T>(std::forward<Arguments>(arguments)...)));
}

// Bytes on the heap, charged to whoever holds them.
class [[nodiscard]] OwnedBytes {
public:
    OwnedBytes() = default;
    // quota_exceeded, out_of_memory. 0 bytes are one.
    static Result<OwnedBytes> make(Payer& payer, std::uint64_t bytes);
    OwnedBytes(OwnedBytes&& other) noexcept
        : charge_(std::move(other.charge_)), data_(std::exchange(other.data_, nullptr)) {}
    OwnedBytes& operator=(OwnedBytes&& other) noexcept {
        std::swap(charge_, other.charge_);
        std::swap(data_, other.data_);
        return *this;
    }
    ~OwnedBytes() { heap_free(data_); }
    [[nodiscard]] std::byte* data() const { return data_; }

private:
    Reservation charge_;
    std::byte* data_ = nullptr;
};

inline Result<OwnedBytes> OwnedBytes::make(Payer& payer, std::uint64_t bytes) {
    const std::uint64_t room = bytes == 0 ? 1 : bytes;
    OwnedBytes made;
    made.charge_ = TRY(Reservation::make(payer, Resource::memory, heap_cost(room)));
    made.data_ = static_cast<std::byte*>(heap_allocate(room));
    if (made.data_ == nullptr) return fail(Error::out_of_memory);
    return made;
}

} // namespace aios::mm
