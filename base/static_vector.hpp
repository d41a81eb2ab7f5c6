// A vector with inline storage for at most Capacity elements: never allocates. Adding to a full one is Error::no_space.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>

#include "base/assert.hpp"
#include "base/result.hpp"

namespace aios {

template <typename T, std::size_t Capacity>
class StaticVector {
public:
    using value_type = T;

    constexpr StaticVector() {}
    constexpr StaticVector(const StaticVector& other) { append_all(other); }
    constexpr StaticVector(StaticVector&& other) noexcept { take_all(other); }
    constexpr StaticVector& operator=(const StaticVector& other) {
        if (this != &other) {
            clear();
            append_all(other);
        }
        return *this;
    }
    constexpr StaticVector& operator=(StaticVector&& other) noexcept {
        if (this != &other) {
            clear();
            take_all(other);
        }
        return *this;
    }
    constexpr ~StaticVector() { clear(); }

    [[nodiscard]] constexpr Result<> push_back(T value) {
        if (size_ == Capacity) return fail(Error::no_space);
        std::construct_at(data() + size_, std::move(value));
        ++size_;
        return {};
    }

    constexpr void pop_back() {
        AIOS_ASSERT(size_ != 0);
        --size_;
        std::destroy_at(data() + size_);
    }

    // Removes the element at `index`; the later ones move up.
    constexpr void erase_at(std::size_t index) {
        AIOS_ASSERT(index < size_);
        std::move(data() + index + 1, data() + size_, data() + index);
        pop_back();
    }

    // Grows with value-initialized elements or shrinks.
    [[nodiscard]] constexpr Result<> resize(std::size_t size) {
        if (size > Capacity) return fail(Error::no_space);
        while (size_ > size)
            pop_back();
        for (; size_ < size; ++size_)
            std::construct_at(data() + size_);
        return {};
    }

    constexpr void clear() {
        std::destroy(begin(), end());
        size_ = 0;
    }

    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] static constexpr std::size_t capacity() { return Capacity; }
    [[nodiscard]] constexpr bool is_empty() const { return size_ == 0; }
    [[nodiscard]] constexpr bool is_full() const { return size_ == Capacity; }

    constexpr T& operator[](std::size_t index) {
        AIOS_ASSERT(index < size_);
        return data()[index];
    }
    constexpr const T& operator[](std::size_t index) const {
        AIOS_ASSERT(index < size_);
        return data()[index];
    }
    constexpr T& back() { return (*this)[size_ - 1]; }
    constexpr const T& back() const { return (*this)[size_ - 1]; }

    constexpr T* data() { return slots_.items; }
    constexpr const T* data() const { return slots_.items; }
    constexpr T* begin() { return data(); }
    constexpr T* end() { return data() + size_; }
    constexpr const T* begin() const { return data(); }
    constexpr const T* end() const { return data() + size_; }
    [[nodiscard]] constexpr std::span<T> span() { return {data(), size_}; }
    [[nodiscard]] constexpr std::span<const T> span() const { return {data(), size_}; }

private:
    // A union keeps the slots without constructing them.
    union Slots {
        constexpr Slots() {}
        constexpr ~Slots() {}
        T items[Capacity];
    };

    constexpr void append_all(const StaticVector& other) {
        for (const T& item : other)
            std::construct_at(data() + size_++, item);
    }
    constexpr void take_all(StaticVector& other) {
        for (T& item : other)
            std::construct_at(data() + size_++, std::move(item));
        other.clear();
    }

    Slots slots_;
    std::size_t size_ = 0;
};

} // namespace aios
