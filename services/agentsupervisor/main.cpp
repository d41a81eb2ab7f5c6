// agentsupervisor: spawns the crew of etc/crew.cbor, watches it, restarts by its strategy, and tells initd when the
// crew's job is done or has failed. It can grant only what initd granted to it with the transfer right. A native
// program without a C library.
#include <new>

#include "runtime/kernel/parent.hpp"
#include "runtime/orchestration/supervisor.hpp"

namespace aios::crew {
namespace {

class CrewHandles final : public orchestration::HandleSource {
public:
    explicit CrewHandles(const StartupBlock& startup) : startup_(startup) {}
    Result<Handle> handle_for(std::uint32_t role) override {
        const Handle handle = find_handle(startup_, static_cast<StartupRole>(role));
        return handle != kNoHandle ? Result<Handle>(handle) : fail(Error::not_found);
    }
    Result<> prepare(const orchestration::SystemDescription&) override { return {}; }

private:
    const StartupBlock& startup_;
};

struct Crew {
    explicit Crew(const StartupBlock& startup)
        : handles(startup), supervisor(startup, "agentsupervisor", "etc/crew.cbor", handles) {}
    CrewHandles handles;
    orchestration::Supervisor supervisor;
};

} // namespace
} // namespace aios::crew

int aios_main(const aios::StartupBlock& startup) {
    using namespace aios;
    console_handle = find_handle(startup, StartupRole::console);
    const Handle parent = find_handle(startup, StartupRole::parent);
    tell_parent(parent, {.type = kUnitReady, .text = "", .ok = true});
    const auto place =
        sys::agent_mem_alloc(find_handle(startup, StartupRole::self), sizeof(crew::Crew), kProtectRead | kProtectWrite);
    if (!place) {
        tell_parent(parent,
                    {.type = kUnitFailed, .text = "agentsupervisor has no memory for its own tables", .ok = false});
        return 1;
    }
    auto* crew = ::new (reinterpret_cast<void*>(*place)) crew::Crew(startup); // SAFETY: fresh pages of that size
    const auto end = crew->supervisor.run();
    tell_parent(parent, {.type = end.is_ok ? kUnitDone : kUnitFailed, .text = end.text, .ok = end.is_ok});
    return end.is_ok ? 0 : 1;
}
