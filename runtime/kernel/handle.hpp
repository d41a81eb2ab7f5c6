// OwnedHandle: a handle that is closed when its owner goes. Grants and rights helpers.
#pragma once

#include <utility>

#include "abi/rights.hpp"
#include "runtime/kernel/calls.hpp"

namespace aios {

class [[nodiscard]] OwnedHandle {
public:
    OwnedHandle() = default;
    explicit OwnedHandle(Handle handle) : handle_(handle) {}
    OwnedHandle(OwnedHandle&& other) noexcept : handle_(std::exchange(other.handle_, kNoHandle)) {}
    OwnedHandle& operator=(OwnedHandle&& other) noexcept {
        if (this != &other) {
            reset();
            handle_ = std::exchange(other.handle_, kNoHandle);
        }
        return *this;
    }
    ~OwnedHandle() { reset(); }

    [[nodiscard]] Handle get() const { return handle_; }
    [[nodiscard]] Handle leak() { return std::exchange(handle_, kNoHandle); }
    explicit operator bool() const { return handle_ != kNoHandle; }
    void reset() {
        if (handle_ != kNoHandle)
            (void)sys::handle_close(std::exchange(handle_, kNoHandle)); // it may have been revoked
    }

private:
    Handle handle_ = kNoHandle;
};

// Role of a handle beside a message: the answer is to be sent there. For senders that do not wait in a call.
inline constexpr std::uint32_t kRoleAnswer = 1;

// A call that answers a handle.
[[nodiscard]] inline Result<OwnedHandle> owned(Result<std::uint64_t> handle) {
    return OwnedHandle(TRY(std::move(handle)));
}

[[nodiscard]] inline Result<OwnedHandle> derive(Handle handle, Rights rights) {
    return owned(sys::handle_derive(handle, rights.bits()));
}

} // namespace aios
