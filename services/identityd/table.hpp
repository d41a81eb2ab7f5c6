// identityd's records: one for each living agent. With each record goes a handle on its agent, which tells whether it
// still lives; records of the dead are dropped, a few at every look and all of them when room is needed. A record of
// a living agent is never dropped: when all live and there is no room, has_room() says so.
//
// A template over the handle, so that host tests can exercise it. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "runtime/security/identity_record.hpp"

namespace aios::identity {

inline constexpr std::size_t kMaxRecords = 4096; // each holds one handle of identityd's quota
inline constexpr std::size_t kLooks = 8;         // records looked at when one is added

template <typename Agent, bool (*kIsAlive)(const Agent&)>
class Table {
public:
    // Valid until the table changes.
    [[nodiscard]] const security::Identity* find(std::uint64_t agent) const {
        const auto found =
            std::ranges::find(records_, agent, [](const Record& record) { return record.identity.agent; });
        return found == records_.end() ? nullptr : &found->identity;
    }

    [[nodiscard]] bool has_room() {
        if (records_.size() == kMaxRecords)
            std::erase_if(records_, [](Record& record) { return !kIsAlive(record.agent); });
        return records_.size() < kMaxRecords;
    }

    // Replaces the record of the same agent. There is room.
    void add(security::Identity identity, Agent agent) {
        look_around();
        const auto same =
            std::ranges::find(records_, identity.agent, [](const Record& record) { return record.identity.agent; });
        if (same != records_.end()) {
            *same = {std::move(identity), std::move(agent)};
        } else {
            records_.push_back({std::move(identity), std::move(agent)});
        }
    }

    [[nodiscard]] std::size_t size() const { return records_.size(); }

private:
    struct Record {
        security::Identity identity;
        Agent agent;
    };

    // Each addition looks at kLooks records in turn: so the dead among them are never many more than the additions of
    // one round.
    void look_around() {
        for (std::size_t looks = 0; looks < kLooks && !records_.empty(); ++looks) {
            next_ = next_ < records_.size() ? next_ : 0;
            if (kIsAlive(records_[next_].agent)) {
                ++next_;
                continue;
            }
            std::swap(records_[next_], records_.back());
            records_.pop_back();
        }
    }

    std::vector<Record> records_;
    std::size_t next_ = 0; // to be looked at
};

} // namespace aios::identity
