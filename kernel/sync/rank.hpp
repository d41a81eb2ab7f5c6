// Lock ranks. A CPU (spinlocks) or thread (mutexes) takes locks in ascending rank only; debug builds panic on a
// violation. Mutexes (may block) stand before all spinlocks (interrupts off, never block).
#pragma once

#include <cstdint>

namespace aios::sync {

enum class Rank : std::uint8_t {
    // mutexes
    process,       // a process's threads, files, personality state
    open_file,     // position of one open file
    terminal,      // a pseudo-terminal of a Linux program
    address_space, // mappings of one address space
    file_tree,     // temporary trees
    pages,         // contents of one memory object
    last_mutex = pages,
    // spinlocks
    agent_tree, // parent, children
    agent,      // one agent's state
    derivation, // one derivation tree
    cap_table,  // one capability table
    cap_paid,   // the nodes that one table pays for
    channel,
    stream,        // positions of one Stream; one event file's count
    operation,     // one asynchronous operation
    power,         // what the node was asked for: off, reset
    lending,       // who serves whom in ipc_call
    timer,         // setting one Timer
    watched_file,  // which epoll files watch an open file
    epoll,         // the items of one epoll file
    signal_files,  // a Linux process's signal descriptors
    timer_queue,   // one a CPU; timers fire under it
    timer_file,    // how often a timer descriptor has expired
    event_source,  // registrations of a source
    event_queue,   // registrations and packets of a queue
    registrant,    // the registrations of one agent
    nesting,       // which event queue stands in which
    process_table, // the Linux processes of one agent
    thread_list,   // a Linux process's threads and their pending signals
    futex,
    reaper,       // agents on their way out
    dead_threads, // those whose stacks are to be freed
    wait_queue,
    mutex_waiters, // of one mutex
    quota,         // what one quota has of the resources that never come back
    run_queue,
    kernel_space, // kernel address ranges and page tables
    kernel_map,   // arch: page tables of the kernel half
    windows,      // who maps one Pages
    space_set,    // the address spaces of an agent
    grants,       // pages of one address space that are under way
    heap,
    frames,
    entropy,
    audit,     // one account's refusals
    audit_log, // the log's arena and published head
    host_port,
    io_apic, // arch: interrupt lines
    serial,  // arch: kernel text
};

} // namespace aios::sync
