// memoryd: keeps the Memory Fabric's document memory. It alone writes the region: it takes documents in, indexes them
// and seals the index into the region, where agents with a read capability search it in place without a message.
// Writers reach it only through a channel of its own (role memory_writer), so the right to write a memory is a
// capability too.
//
//   memory.ingest { bytes } + memory handle: CBOR array of [path bytes, contents bytes], in the first `bytes` of the
//   handle's memory memory.seal {}                           makes what was taken in readable
// Both answer { epoch, documents, passages }: the epoch changes when memoryd was restarted and its builder is empty
// again.
#include <format>

#include "base/cbor.hpp"
#include "runtime/application/agent.hpp"
#include "runtime/kernel/mapping.hpp"
#include "runtime/memory/index_builder.hpp"

namespace aios {
namespace {

class Memory {
public:
    Memory(application::Agent& agent, Mapping region) : agent_(agent), region_(std::move(region)) {}

    application::Reply ingest(const ipc::Incoming& request) {
        if (request.handles.size() != 1)
            return ipc::refuse(request.intent, Error::bad_argument, "memory.ingest needs one memory handle");
        const auto bytes = request.intent.slots.integer("bytes");
        if (!bytes || *bytes < 0)
            return ipc::refuse(request.intent, Error::bad_argument, "memory.ingest needs the slot bytes");
        const auto window = Mapping::map(agent_.self(), request.handles[0].handle.get(), kProtectRead);
        if (!window) return ipc::refuse(request.intent, window.error(), "the memory handle cannot be mapped");
        if (static_cast<std::uint64_t>(*bytes) > window->bytes().size()) {
            return ipc::refuse(request.intent, Error::truncated, "there are fewer bytes than announced");
        }
        std::string name;
        if (const auto added = add_all(window->bytes().first(static_cast<std::size_t>(*bytes)), name); !added) {
            return ipc::refuse(request.intent, added.error(), "cannot take in " + name);
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
    // The writer shares the memory and could change it while it is read: every length is checked as it is read, and
    // bytes are copied once by the builder.
    Result<> add_all(Bytes batch, std::string& name) {
        name = "the batch";
        cbor::Decoder in(batch);
        TRY(in.array_begin());
        while (TRY(in.array_next())) {
            if (TRY(in.array_begin()) != 2) return fail(Error::bad_format);
            const Bytes path = TRY(in.bytes());
            name.assign(reinterpret_cast<const char*>(path.data()), path.size()); // SAFETY: bytes as characters
            const auto added = builder_.add(name, TRY(in.bytes()));
            if (!added && added.error() != Error::already_exists) return added; // a batch that is sent again
            TRY(in.end());
        }
        return in.finish();
    }

    application::Reply state(const ipc::Intent& request) const {
        return ipc::inform(
            request, {{"epoch", agent_.id()}, {"documents", builder_.documents()}, {"passages", builder_.passages()}});
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
