// Going through the processes of an agent without holding its table for long.
#pragma once

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

// Calls `look` for each process of the family, a few at a time and by number, with the table locked, and then `act(pid)` under
// no lock for those that it answers true for. Ends early where `act` answers false.
template <typename Look, typename Act>
void for_processes(ProcessTable& family, Look&& look, Act&& act) {
    std::int32_t next = ProcessTable::kFirst;
    bool is_at_end = false;
    while (!is_at_end) {
        std::int32_t found[ProcessTable::kAtOnce];
        unsigned count = 0;
        {
            ProcessTable::Lock::Guard guard(family.lock);
            ProcessEntry* entry = family.find_from_locked(next);
            for (unsigned i = 0; i < ProcessTable::kAtOnce && entry != nullptr; ++i) {
                if (look(*entry)) found[count++] = entry->pid;
                next = entry->pid + 1;
                entry = family.find_from_locked(next);
            }
            is_at_end = entry == nullptr;
        }
        for (unsigned i = 0; i < count; ++i) {
            if (!act(found[i])) return;
        }
    }
}

} // namespace aios::linux_abi
