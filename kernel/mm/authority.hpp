// Authority: what a mapping was made under, as memory management sees it: kernel/cap's derivation node is the one kind.
// It is held (in a slot, or under way to one), closed by whoever held it, or dead (revoked). It only goes forward.
//
// A mapping is good while its authority is held. Two threads meet here, one that makes a mapping and one that ends the
// authority; whatever their order, one of them sees the other:
//   1. The maker notes the use (admit_mapping), then looks at the state.
//   2. The ender writes the state (end), then looks whether a use was noted. If one was, it tells the address spaces of
//      the holder (SpaceSet::notice).
// Each writes before it reads, sequentially consistent, so not both can miss. No lock.
#pragma once

#include <atomic>
#include <cstdint>

namespace aios::mm {

class Authority {
public:
    enum class State : std::uint8_t { held, closed, dead };

    // Sequentially consistent, for those who write something of their own before they look (event::EventQueue::add).
    [[nodiscard]] bool is_held() const { return state_.load(std::memory_order_seq_cst) == State::held; }
    // Before a mapping is linked: false if it must not be made any more.
    [[nodiscard]] bool admit_mapping() {
        was_mapped_.store(true, std::memory_order_seq_cst);
        return state_.load(std::memory_order_seq_cst) == State::held;
    }
    virtual void retain() = 0;
    virtual void release() = 0;

protected:
    Authority() = default;
    ~Authority() = default;
    [[nodiscard]] State state() const { return state_.load(std::memory_order_acquire); }
    // Callers serialise. Answers whether mappings may have been made under it.
    bool end(State state) {
        if (state > state_.load(std::memory_order_relaxed)) state_.store(state, std::memory_order_seq_cst);
        return was_mapped_.load(std::memory_order_seq_cst);
    }

private:
    std::atomic<State> state_{State::held};
    std::atomic<bool> was_mapped_{false};
};

} // namespace aios::mm
