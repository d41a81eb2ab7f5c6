// The states that a search knows: facts as bits, the landmarks reached, and how each was come by. Only for search.cpp.
#pragma once

#include <bit>

#include "runtime/planning/ground.hpp"

namespace aios::planning {

using StateId = std::uint32_t;
inline constexpr StateId kNoState = ~StateId{0};

class States {
public:
    States(std::size_t facts, std::size_t landmark_words)
        : words_((facts + 63) / 64), landmark_words_(landmark_words), table_(1024, kNoState) {}

    struct Origin {
        StateId parent;
        OperatorId op;
        std::uint64_t cost; // from the start
    };
    // The state's number, and whether it is new.
    std::pair<StateId, bool> insert(const std::vector<std::uint64_t>& facts) {
        if ((origins_.size() + 1) * 2 > table_.size()) grow();
        std::size_t at = slot_of(facts.data());
        if (table_[at] != kNoState) return {table_[at], false};
        const auto id = static_cast<StateId>(origins_.size());
        table_[at] = id;
        bits_.insert(bits_.end(), facts.begin(), facts.end());
        landmarks_.resize(landmarks_.size() + landmark_words_);
        origins_.push_back({kNoState, 0, 0});
        return {id, true};
    }
    [[nodiscard]] const std::uint64_t* facts(StateId id) const { return bits_.data() + id * words_; }
    [[nodiscard]] std::uint64_t* landmarks(StateId id) { return landmarks_.data() + id * landmark_words_; }
    [[nodiscard]] Origin& origin(StateId id) { return origins_[id]; }
    [[nodiscard]] std::size_t words() const { return words_; }
    [[nodiscard]] std::uint64_t bytes() const {
        return (bits_.capacity() + landmarks_.capacity()) * 8 + origins_.capacity() * sizeof(Origin) +
               table_.size() * 4;
    }

private:
    [[nodiscard]] std::size_t slot_of(const std::uint64_t* facts) const {
        std::uint64_t hash = 0;
        for (std::size_t i = 0; i < words_; ++i)
            hash = (hash ^ facts[i]) * 0x9e37'79b9'7f4a'7c15u, hash ^= hash >> 29;
        std::size_t at = hash & (table_.size() - 1);
        while (table_[at] != kNoState && !std::equal(facts, facts + words_, this->facts(table_[at])))
            at = (at + 1) & (table_.size() - 1);
        return at;
    }
    void grow() {
        table_.assign(table_.size() * 2, kNoState);
        for (StateId id = 0; id < origins_.size(); ++id)
            table_[slot_of(facts(id))] = id;
    }

    std::size_t words_, landmark_words_;
    std::vector<std::uint64_t> bits_, landmarks_;
    std::vector<Origin> origins_;
    std::vector<StateId> table_; // open addressing, a power of two
};

} // namespace aios::planning
