// The user ranges of one transfer, fetched once: what was checked is what is used. One range for read and write, up to
// kMaxVectors for their vector forms. All ranges together count as one run of bytes.
#pragma once

#include <expected>
#include <span>

#include "kernel/ipc/stream.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/mm/user_memory.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

inline constexpr std::uint64_t kMaxTransfer = 0x7fff'f000; // of one call; the rest is left to the next

// What Linux asks of a range before it moves anything: that no part of it is the kernel's. Whether it is mapped the copy
// finds out.
[[nodiscard]] constexpr bool is_below_kernel(std::uint64_t address, std::uint64_t bytes) {
    return bytes <= arch::kUserHigh && address <= arch::kUserHigh - bytes;
}

class Vectors {
public:
    static constexpr std::uint64_t kMaxVectors = 1024;

    Vectors(std::uint64_t address, std::uint64_t bytes);
    // Checked before anything moves: kInvalid (too many, a negative length), kFault (the table cannot be read, or a
    // range is the kernel's), kNoMemory. What exceeds kMaxTransfer is cut off.
    static std::expected<Vectors, Errno> fetch(Payer& payer, UserIn<IoVector> user, std::uint64_t count);

    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    [[nodiscard]] std::span<const IoVector> ranges() const;
    // The bytes from `offset` on; nobody asks beyond the end.
    [[nodiscard]] Result<> fetch(std::uint64_t offset, MutableBytes to) const;
    [[nodiscard]] Result<> store(std::uint64_t offset, Bytes from) const;

private:
    static constexpr std::uint64_t kInline = 8;
    Vectors() = default;
    IoVector few_[kInline]{};
    mm::OwnedBytes many_; // in place of few_
    std::uint64_t count_ = 0;
    std::uint64_t bytes_ = 0;
};

// Vectors as one side of a Stream.
class VectorsIn final : public ipc::StreamIn {
public:
    explicit VectorsIn(const Vectors& vectors) : vectors_(vectors) {}
    Result<> fetch(std::uint64_t offset, MutableBytes to) override { return vectors_.fetch(offset, to); }

private:
    const Vectors& vectors_;
};
class VectorsOut final : public ipc::StreamOut {
public:
    explicit VectorsOut(const Vectors& vectors) : vectors_(vectors) {}
    Result<> store(std::uint64_t offset, Bytes from) override { return vectors_.store(offset, from); }

private:
    const Vectors& vectors_;
};

} // namespace aios::linux_abi
