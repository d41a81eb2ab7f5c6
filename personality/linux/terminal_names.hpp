// Which pseudo-terminals an agent has: /dev/pts/N for each whose master is open. A new one gets the lowest number that is
// free. Guarded by the process table's lock, as a whole; no walk is longer than kMost / 64 words.
#pragma once

#include <bit>
#include <optional>

#include "base/intrusive_tree.hpp"

namespace aios::linux_abi {

class Terminal;

struct TerminalName { // a part of its terminal
    explicit TerminalName(Terminal& own) : terminal(own) {}
    Terminal& terminal;
    TreeNode node;
    std::uint32_t number = 0;
    ~TerminalName() = default;
};

class TerminalNames {
public:
    static constexpr std::uint32_t kMost = 256;
    bool add(TerminalName& name) { // false: there are kMost
        for (std::uint32_t word = 0; word < kMost / 64; ++word) {
            if (used_[word] == ~0ull) continue;
            const auto bit = static_cast<std::uint32_t>(std::countr_one(used_[word]));
            used_[word] |= 1ull << bit;
            name.number = word * 64 + bit;
            names_.insert(name);
            return true;
        }
        return false;
    }
    void remove(TerminalName& name) {
        used_[name.number / 64] &= ~(1ull << name.number % 64);
        names_.erase(name);
    }
    [[nodiscard]] TerminalName* find(std::uint32_t number) const { return names_.find(number); }
    [[nodiscard]] TerminalName* find_from(std::uint32_t number) const { return names_.lower_bound(number); }

private:
    IntrusiveTree<TerminalName, &TerminalName::node, &TerminalName::number> names_;
    std::uint64_t used_[kMost / 64]{};
};

} // namespace aios::linux_abi
