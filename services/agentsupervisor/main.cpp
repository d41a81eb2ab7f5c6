// agentsupervisor: spawns the crew of etc/crew.cbor, watches it, restarts by its strategy, and tells initd when the
// crew's job is done or has failed. It can grant only what initd granted to it with the transfer right. A native
// program without a C library.
#include <new>

#include "base/cbor.hpp"
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

// {0: kind, 1: text, 2: ok} to whoever started this program.
void tell_parent(const StartupBlock& startup, std::string_view kind, std::string_view text, bool is_ok) {
    std::byte buffer[768];
    cbor::Encoder out(buffer);
    out.map(3);
    out.key(0).text(kind);
    out.key(1).text(text);
    out.key(2).boolean(is_ok);
    const auto encoded = out.finish();
    if (!encoded) return; // a text that is not UTF-8 cannot come from a supervisor
    Message message{};
    message.bytes = reinterpret_cast<std::uint64_t>(encoded->data()); // SAFETY: for the kernel
    message.size = encoded->size();
    (void)sys::ipc_send(find_handle(startup, StartupRole::parent), &message);
}

} // namespace
} // namespace aios::crew

int aios_main(const aios::StartupBlock& startup) {
    using namespace aios;
    console_handle = find_handle(startup, StartupRole::console);
    crew::tell_parent(startup, "ready", "", true);
    const auto place =
        sys::agent_mem_alloc(find_handle(startup, StartupRole::self), sizeof(crew::Crew), kProtectRead | kProtectWrite);
    if (!place) {
        crew::tell_parent(startup, "failed", "agentsupervisor has no memory for its own tables", false);
        return 1;
    }
    auto* crew = ::new (reinterpret_cast<void*>(*place)) crew::Crew(startup); // SAFETY: fresh pages of that size
    const auto end = crew->supervisor.run();
    crew::tell_parent(startup, end.is_ok ? "done" : "failed", end.text, end.is_ok);
    return end.is_ok ? 0 : 1;
}
