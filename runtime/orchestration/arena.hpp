// Arena: room for tables whose size is known only when a description has been read. It hands out pieces of one block of
// memory and takes none back; the block belongs to whoever made the arena. No allocation of its own, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::orchestration {

class Arena {
public:
    Arena() = default;
    explicit Arena(MutableBytes block) : rest_(block) {}

    // `count` value-initialized objects. They are never destroyed: what they own goes with the program.
    // no_space when the block is used up.
    template <typename T>
    Result<std::span<T>> make(std::size_t count) {
        const auto at = reinterpret_cast<std::uintptr_t>(rest_.data()); // SAFETY: only its alignment is looked at
        const std::size_t skip = (alignof(T) - at % alignof(T)) % alignof(T);
        if (rest_.size() < skip || (rest_.size() - skip) / sizeof(T) < count) return fail(Error::no_space);
        // SAFETY: aligned room for `count` objects, made in the next line.
        auto* first = reinterpret_cast<T*>(rest_.data() + skip);
        std::uninitialized_value_construct_n(first, count);
        rest_ = rest_.subspan(skip + count * sizeof(T));
        return std::span<T>(first, count);
    }
    // What make<T>(count) takes at most.
    template <typename T>
    static constexpr std::size_t room(std::size_t count) {
        return count * sizeof(T) + alignof(T);
    }

private:
    MutableBytes rest_;
};

} // namespace aios::orchestration
