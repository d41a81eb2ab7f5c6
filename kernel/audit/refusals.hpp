// Coalescing of equal refusals: the first is recorded at once, further equal ones within a second are counted, and the
// count becomes one record when the second is over. A table of fixed size: the entry that is oldest makes room. No lock
// of its own.
#pragma once

#include <cstring>

#include "kernel/audit/audit.hpp"

namespace aios::audit {

class Refusals {
public:
    static constexpr std::uint64_t kWindowNs = 1'000'000'000;
    static constexpr unsigned kEntries = 64;

    // What has to be recorded now, at most two: the count of an entry that had to make room, and this refusal.
    struct Due {
        unsigned count = 0;
        Record records[2];
    };

    void refused(const Record& record, std::uint64_t now, Due& due) {
        Entry* victim = &entries_[0];
        for (Entry& entry : entries_) {
            if (entry.used && equal(entry.record, record)) {
                if (now - entry.since < kWindowNs) {
                    entry.suppressed++;
                    return;
                }
                add(due, record, entry.suppressed + 1);
                entry.since = now;
                entry.suppressed = 0;
                return;
            }
            if (victim->used && (!entry.used || entry.since < victim->since)) victim = &entry;
        }
        if (victim->used && victim->suppressed != 0) add(due, victim->record, victim->suppressed);
        victim->used = true;
        victim->record = record;
        victim->since = now;
        victim->suppressed = 0;
        add(due, record, record.count);
    }

    // The next count that is due at `now` (all of them with `all`), if there is one.
    [[nodiscard]] bool expire(std::uint64_t now, bool all, Record& out) {
        for (Entry& entry : entries_) {
            if (!entry.used || (!all && now - entry.since < kWindowNs)) continue;
            entry.used = false;
            if (entry.suppressed == 0) continue;
            out = entry.record;
            out.count = entry.suppressed;
            return true;
        }
        return false;
    }
    [[nodiscard]] bool has_suppressed() const {
        for (const Entry& entry : entries_)
            if (entry.used && entry.suppressed != 0) return true;
        return false;
    }

private:
    struct Entry {
        bool used = false;
        std::uint64_t since = 0, suppressed = 0;
        Record record;
    };
    static bool equal(const Record& a, const Record& b) {
        return a.agent == b.agent && a.call == b.call && a.subject == b.subject && a.detail[0] == b.detail[0] &&
               a.detail[1] == b.detail[1] && a.detail[2] == b.detail[2];
    }
    static void add(Due& due, const Record& record, std::uint64_t count) {
        due.records[due.count] = record;
        due.records[due.count++].count = count;
    }
    Entry entries_[kEntries];
};

} // namespace aios::audit
