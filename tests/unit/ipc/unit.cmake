aios_unit_test(ipc LIBRARIES base.test SOURCES ${sched_host} kernel/ipc/channel.cpp kernel/ipc/calls.cpp
    kernel/ipc/direct.cpp kernel/ipc/disposal.cpp kernel/ipc/lending.cpp kernel/ipc/message_store.cpp kernel/ipc/stream.cpp kernel/ipc/transfer.cpp
    kernel/mm/grant.cpp
    tests/support/heap_tally.cpp)
aios_heap_tally(ipc)
