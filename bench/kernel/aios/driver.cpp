// The first program of the benchmark's bundle: measures the rows that etc/rows names, one a line, in that order, in the
// company that etc/variant names ("alone": none).
#include <algorithm>

#include "bench/kernel/aios/measure.hpp"

namespace {

using namespace bench;

struct Row {
    std::string_view name;
    void (*measure)();
};
constexpr Row kRows[] = {
    {"null", null_call},
    {"ipc_64", ipc_64},
    {"ipc_4k", ipc_4k},
    {"ipc_64k", ipc_64k},
    {"ipc_grant_64k", ipc_grant_64k},
    {"ipc_move_64k", ipc_move_64k},
    {"one_way", one_way},
    {"switch", switch_agents},
    {"anonymous_fault", anonymous_fault},
    {"cow_fault", cow_fault},
    {"spawn_first", spawn_first},
    {"spawn_reaped", spawn_reaped},
    {"thread_join", thread_join},
    {"timer_p99", timer_p99},
    {"near_deadline", near_deadline},
    {"derive_close", derive_close},
    {"idle_agent", idle_agent},
    {"pairs", pairs},
    {"interactive", interactive},
};

std::string_view text_of(std::string_view path) {
    const Handle file = MUST(sys::tree_open(handle(StartupRole::bundle), path.data(), path.size()));
    HandleInfo info{};
    MUST(sys::handle_info(file, &info));
    const MapRequest request{0, info.size, 0, kProtectRead};
    // SAFETY: mapped for as long as this program runs
    return {reinterpret_cast<const char*>(MUST(sys::memory_map(file, &request))), info.size};
}

} // namespace

int aios_main(const StartupBlock& block) {
    CLOSE_WINDOW(kWindowFromReset);
    init(block, "driver");
    const std::string_view variant = text_of("etc/variant");
    gives_handles = variant == "handles";
    Peer third;
    if (variant == "third") third = Peer::start("bin/peer", std::string_view("spin\0", 5), {console_grant()});
    if (variant == "traced") {
        constexpr std::string_view kRequest = "the benchmark is traced";
        const TraceRequest request{{}, address_of(kRequest.data()), kRequest.size()};
        TraceId id{};
        MUST(sys::trace_begin(&request, &id));
    }
    std::string_view names = text_of("etc/rows");
    while (!names.empty()) {
        std::size_t end = 0; // no C library, so no find()
        while (end < names.size() && names[end] != '\n')
            ++end;
        const std::string_view name = names.substr(0, end);
        names.remove_prefix(std::min(end + 1, names.size()));
        program = name;
        bool known = false;
        for (const Row& row : kRows) {
            if (row.name != name) continue;
            row.measure();
            known = true;
        }
        if (!known) console_print("BENCH {} fail the driver has no such row\n", name);
    }
    return 0;
}
