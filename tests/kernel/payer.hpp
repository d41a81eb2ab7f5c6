// A payer for tests inside the kernel: counts what is reserved, refuses nothing.
#pragma once

#include <atomic>

#include "kernel/mm/payer.hpp"

namespace aios::kernel_test {

class TestPayer final : public Payer {
public:
    Result<> reserve(Resource, std::uint64_t amount) override {
        used_ += amount;
        return {};
    }
    void give_back(Resource, std::uint64_t amount) override { used_ -= amount; }
    void retain() override {}
    void release() override {}
    [[nodiscard]] std::uint64_t used() const { return used_; }

private:
    std::atomic<std::uint64_t> used_{0};
};

} // namespace aios::kernel_test
