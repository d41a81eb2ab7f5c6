// memoryd: keeps the Memory Fabric's document memory. It alone writes the region: it takes documents in, indexes them
// and seals the index into the region, where agents with a read capability search it in place without a message.
// Writers reach it only through a channel of its own (role memory_writer), so the right to write a memory is a
// capability too.
//
// memory.ingest takes a batch of documents (abi/messages.def) out of the memory that a handle leads to; a document whose
// name is known takes the place of the old one (intake.hpp). memory.seal makes what was taken in readable.
#include <format>

#include "runtime/application/agent.hpp"
#include "runtime/ipc/slots_codec.hpp"
#include "runtime/kernel/mapping.hpp"
#include "services/memoryd/intake.hpp"

namespace aios {
namespace {

class Memory {
public:
    Memory(application::Agent& agent, Mapping region) : agent_(agent), region_(std::move(region)) {}

    application::Reply ingest(const ipc::Incoming& request) {
        if (request.handles.size() != 1)
            return ipc::refuse(request.intent, Error::bad_argument, "memory.ingest needs one memory handle");
        const auto asked = ipc::from_slots<messages::owned::MemoryIngest>(request.intent.slots);
        if (!asked) return ipc::refuse(request.intent, Error::bad_argument, "memory.ingest needs the slot bytes");
        const auto window = Mapping::map(agent_.self(), request.handles[0].handle.get(), kProtectRead);
        if (!window) return ipc::refuse(request.intent, window.error(), "the memory handle cannot be mapped");
        if (asked->bytes > window->bytes().size()) {
            return ipc::refuse(request.intent, Error::truncated, "there are fewer bytes than announced");
        }
        std::string name;
        const Bytes batch = window->bytes().first(asked->bytes);
        if (const auto taken = memory::take_in(builder_, batch, name); !taken) {
            return ipc::refuse(request.intent, taken.error(),
                               std::format("cannot take in {}: {}", name, error_info(taken.error()).sentence));
        }
        return state(request.intent);
    }

    application::Reply seal(const ipc::Incoming& request) {
        const auto sealed = builder_.seal(region_.bytes());
        if (!sealed) {
            return ipc::refuse(request.intent, sealed.error(),
                               std::format("the index needs {} bytes and the region has {}", builder_.sealed_bytes(),
                                           region_.bytes().size()));
        }
        return state(request.intent);
    }

private:
    application::Reply state(const ipc::Intent& request) const {
        return ipc::inform(request, messages::owned::MemoryState{.epoch = agent_.id(),
                                                                 .passages = builder_.passages(),
                                                                 .documents = builder_.documents()});
    }

    application::Agent& agent_;
    Mapping region_;
    memory::IndexBuilder builder_;
};

} // namespace
} // namespace aios

int main() {
    using namespace aios;
    application::Agent agent;
    auto region = Mapping::map(agent.self(), agent.handle(StartupRole::region_writer), kProtectRead | kProtectWrite);
    if (!region) {
        agent.tell_parent("failed", "memoryd cannot map its region", false);
        return 1;
    }
    Memory memory(agent, std::move(*region));
    agent.use_channel(agent.handle(StartupRole::memory_server));
    agent.serve("memory.ingest", [&](auto& request) { return memory.ingest(request); });
    agent.serve("memory.seal", [&](auto& request) { return memory.seal(request); });
    return agent.run();
}
