// Names of the lock ranks for messages. A switch without default: a rank without a name does not compile.
#pragma once

#include <string_view>

#include "kernel/sync/rank.hpp"

namespace aios::sync {

[[nodiscard]] constexpr std::string_view rank_name(Rank rank) {
    switch (rank) {
    case Rank::process:
        return "process";
    case Rank::open_file:
        return "open_file";
    case Rank::terminal:
        return "terminal";
    case Rank::address_space:
        return "address_space";
    case Rank::file_tree:
        return "file_tree";
    case Rank::pages:
        return "pages";
    case Rank::agent_tree:
        return "agent_tree";
    case Rank::agent:
        return "agent";
    case Rank::derivation:
        return "derivation";
    case Rank::cap_table:
        return "cap_table";
    case Rank::cap_paid:
        return "cap_paid";
    case Rank::channel:
        return "channel";
    case Rank::stream:
        return "stream";
    case Rank::operation:
        return "operation";
    case Rank::power:
        return "power";
    case Rank::lending:
        return "lending";
    case Rank::timer:
        return "timer";
    case Rank::watched_file:
        return "watched_file";
    case Rank::epoll:
        return "epoll";
    case Rank::signal_files:
        return "signal_files";
    case Rank::timer_queue:
        return "timer_queue";
    case Rank::timer_file:
        return "timer_file";
    case Rank::event_source:
        return "event_source";
    case Rank::event_queue:
        return "event_queue";
    case Rank::registrant:
        return "registrant";
    case Rank::nesting:
        return "nesting";
    case Rank::process_table:
        return "process_table";
    case Rank::thread_list:
        return "thread_list";
    case Rank::futex:
        return "futex";
    case Rank::reaper:
        return "reaper";
    case Rank::dead_threads:
        return "dead_threads";
    case Rank::wait_queue:
        return "wait_queue";
    case Rank::mutex_waiters:
        return "mutex_waiters";
    case Rank::quota:
        return "quota";
    case Rank::run_queue:
        return "run_queue";
    case Rank::kernel_space:
        return "kernel_space";
    case Rank::kernel_map:
        return "kernel_map";
    case Rank::windows:
        return "windows";
    case Rank::space_set:
        return "space_set";
    case Rank::grants:
        return "grants";
    case Rank::heap:
        return "heap";
    case Rank::frames:
        return "frames";
    case Rank::entropy:
        return "entropy";
    case Rank::audit:
        return "audit";
    case Rank::audit_log:
        return "audit_log";
    case Rank::host_port:
        return "host_port";
    case Rank::io_apic:
        return "io_apic";
    case Rank::serial:
        return "serial";
    }
    return "unknown";
}

} // namespace aios::sync
