// What an agent's refusals become: at most one record a second for each of kDoors different ones, and one for all
// others together, however many doors it tries. No lock of its own.
//
// A door is one call refused for one reason (type, right, error); or, of what a service refuses others, one agent that it
// refuses, whatever that asks for: the record names the first thing of those that it stands for. A door's first refusal is recorded at once; those that
// follow are counted, and when a second has passed since the door's last record the count becomes a record. A door
// gives up its place when it has been quiet for a second. A refusal that finds no place is counted in `others`.
// No count is lost: every refusal is in exactly one record.
#pragma once

#include <algorithm>
#include <cstring>

#include "kernel/audit/audit.hpp"

namespace aios::audit {

class Refusals {
public:
    static constexpr std::uint64_t kWindowNs = 1'000'000'000;
    static constexpr unsigned kDoors = 4;
    // In any second an agent's refusals make no more records than this.
    static constexpr unsigned kMaxRecordsInWindow = kDoors + 1;

    enum class Verdict : std::uint8_t {
        record, // now, as it is
        opened, // counted, as the first of a record to come
        counted // counted in a record that is to come already
    };
    // Whether the caller has a slot for a record.
    enum class HasSlot : std::uint8_t { no, yes };
    Verdict refused(const Record& record, std::uint64_t now, HasSlot has_slot) {
        Door* place = nullptr;
        for (Door& door : doors_) {
            if (door.used && door.is(record)) {
                place = &door;
                break;
            }
            if (place == nullptr && door.is_free(now)) place = &door;
        }
        if (place == nullptr) return count(others_waiting_, others_since_, now);
        if (!place->used || !place->is(record)) {
            place->set(record);
            // Without a slot nothing is recorded now: the count is due as soon as somebody looks.
            place->since = now - kWindowNs;
        }
        if (has_slot == HasSlot::yes && place->waiting == 0 && is_over(place->since, now)) {
            place->since = now;
            return Verdict::record;
        }
        if (place->waiting++ != 0) return Verdict::counted;
        std::memcpy(place->name, record.name, sizeof(place->name));
        place->trace = record.trace;
        return Verdict::opened;
    }

    // The next count that is due at `now` (or any), if there is one: kind, call, details and count.
    enum class Which : std::uint8_t { due, any };
    [[nodiscard]] bool take_due(std::uint64_t now, Which which, Record& out) {
        const auto is_wanted = [&](std::uint64_t waiting, std::uint64_t since) {
            return waiting != 0 && (which == Which::any || is_over(since, now));
        };
        for (Door& door : doors_) {
            if (!is_wanted(door.waiting, door.since)) continue;
            out = Record{.kind = door.kind, .subject = door.subject, .call = door.call};
            std::ranges::copy(door.detail, out.detail);
            std::ranges::copy(door.name, out.name);
            out.trace = door.trace;
            out.count = std::exchange(door.waiting, 0);
            door.since = now;
            return true;
        }
        if (!is_wanted(others_waiting_, others_since_)) return false;
        out = Record{.kind = Kind::refusal};
        out.count = std::exchange(others_waiting_, 0);
        return true;
    }
    // When the next count will be due; kNone if nothing is counted.
    static constexpr std::uint64_t kNone = ~0ull;
    [[nodiscard]] std::uint64_t next_due() const {
        std::uint64_t due = others_waiting_ != 0 ? others_since_ + kWindowNs : kNone;
        for (const Door& door : doors_)
            if (door.waiting != 0) due = std::min(due, door.since + kWindowNs);
        return due;
    }

private:
    struct Door {
        bool used = false;
        Kind kind = Kind::refusal;
        std::uint64_t since = 0;   // of its last record
        std::uint64_t waiting = 0; // counted since then
        std::uint64_t subject = 0, call = 0, detail[3] = {};
        char name[kMaxNameBytes] = {}; // of the first of those that wait; what a service refuses has no longer one
        TraceId trace = {};            // likewise
        [[nodiscard]] bool is(const Record& record) const {
            if (kind != record.kind || call != record.call || subject != record.subject) return false;
            return std::ranges::equal(detail, record.detail);
        }
        // Nothing is lost when another takes it.
        [[nodiscard]] bool is_free(std::uint64_t now) const { return !used || (waiting == 0 && is_over(since, now)); }
        void set(const Record& record) {
            used = true;
            kind = record.kind;
            subject = record.subject;
            call = record.call;
            std::ranges::copy(record.detail, detail);
        }
    };
    static bool is_over(std::uint64_t since, std::uint64_t now) {
        return static_cast<std::int64_t>(now - since) >= static_cast<std::int64_t>(kWindowNs);
    }
    // A second from the first of them, which is at least a second from the last record of this kind.
    static Verdict count(std::uint64_t& waiting, std::uint64_t& since, std::uint64_t now) {
        if (waiting++ != 0) return Verdict::counted;
        since = now;
        return Verdict::opened;
    }
    Door doors_[kDoors];
    std::uint64_t others_since_ = 0, others_waiting_ = 0;
};

} // namespace aios::audit
