// Mapping: a memory object in this agent's address space, taken out again when its owner goes.
#pragma once

#include "base/types.hpp"
#include "runtime/kernel/handle.hpp"

namespace aios {

class [[nodiscard]] Mapping {
public:
    // Maps the whole object. bad_argument for an empty one; else what memory_map answers.
    static Result<Mapping> map(Handle self, Handle memory, std::uint64_t protection) {
        HandleInfo info{};
        TRY(sys::handle_info(memory, &info));
        if (info.size == 0) return fail(Error::bad_argument);
        const MapRequest request{0, info.size, 0, protection};
        const std::uint64_t address = TRY(sys::memory_map(memory, &request));
        return Mapping(self, address, info.size);
    }
    Mapping(Mapping&& other) noexcept
        : self_(other.self_), address_(std::exchange(other.address_, 0)), bytes_(other.bytes_) {}
    Mapping& operator=(Mapping&&) = delete;
    ~Mapping() {
        if (address_ != 0) (void)sys::agent_mem_free(self_, address_, bytes_);
    }
    [[nodiscard]] MutableBytes bytes() const {
        return {reinterpret_cast<std::byte*>(address_), bytes_}; // SAFETY: mapped for the life of the object
    }

private:
    Mapping(Handle self, std::uint64_t address, std::uint64_t bytes) : self_(self), address_(address), bytes_(bytes) {}
    Handle self_;
    std::uint64_t address_;
    std::uint64_t bytes_;
};

} // namespace aios
