// The librarian takes the documents of the job into the memory: it reads them from the job tree, puts them batch by
// batch into a pool of its own, and hands memoryd a read capability on the pool. If memoryd is restarted in between, it
// starts again.
#include <chrono>
#include <format>
#include <thread>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "examples/desk/job.hpp"
#include "messages/view.hpp"
#include "runtime/clients/memory.hpp"
#include "runtime/kernel/mapping.hpp"

namespace aios::desk {
namespace {

constexpr std::uint64_t kBatchBytes = 1 << 20;
constexpr int kMaxTries = 5;

class Librarian {
public:
    explicit Librarian(application::Agent& agent)
        : agent_(agent), memoryd_(OwnedHandle(agent.handle(StartupRole::memory_writer))),
          job_(agent.handle(StartupRole::job)), port_(agent.handle(StartupRole::host_port)) {}

    application::Reply take_in(const ipc::Incoming& request) {
        Result<clients::MemoryState> done = fail(Error::not_ready);
        for (int attempt = 0; attempt < kMaxTries; ++attempt) {
            done = take_in_once();
            if (done) return ipc::inform(request.intent, *done);
            const bool memoryd_restarted = done.error() == Error::busy || done.error() == Error::peer_closed;
            if (!memoryd_restarted) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
        return ipc::failure(request.intent, done.error(),
                            reason_.empty() ? "the documents cannot be taken in" : reason_);
    }

private:
    Result<clients::MemoryState> take_in_once() {
        epoch_ = 0;
        const auto files = TRY(list_files(job_, kDocuments));
        std::size_t at = 0;
        while (at < files.size()) {
            at = TRY(send_batch(files, at));
            (void)tell_progress(port_, "taking in documents", at, files.size());
        }
        return same_memoryd(clients::seal(memoryd_, &reason_));
    }

    // Sends files from `at` on that fit one pool; answers the next one.
    Result<std::size_t> send_batch(const std::vector<JobFile>& files, std::size_t at) {
        std::size_t end = at;
        std::uint64_t room = 16;
        while (end < files.size() && (end == at || room + files[end].bytes < kBatchBytes)) {
            room += files[end].bytes + files[end].path.size() + 32;
            ++end;
        }
        const OwnedHandle pool = TRY(owned(sys::agent_pool_alloc(agent_.self(), room)));
        const Mapping mapping = TRY(Mapping::map(agent_.self(), pool.get(), kProtectRead | kProtectWrite));
        cbor::Encoder out(mapping.bytes());
        out.array(end - at);
        for (std::size_t i = at; i < end; ++i) {
            const std::string text = TRY(read_file(agent_.self(), job_, files[i].path));
            const std::string_view name = std::string_view(files[i].path).substr(kDocuments.size());
            messages::put(out, messages::view::DocumentText{.name = as_bytes(name), .contents = as_bytes(text)});
        }
        const Bytes encoded = TRY(out.finish());
        TRY(same_memoryd(clients::ingest(memoryd_, pool.get(), encoded.size(), &reason_)));
        return end;
    }

    // busy when memoryd is another one than before: what it was given is gone.
    Result<clients::MemoryState> same_memoryd(Result<clients::MemoryState> answer) {
        const std::uint64_t epoch = TRY(answer).epoch;
        if (epoch_ != 0 && epoch != epoch_) return fail(Error::busy);
        epoch_ = epoch;
        return answer;
    }

    application::Agent& agent_;
    ipc::Peer memoryd_;
    Handle job_, port_;
    std::uint64_t epoch_ = 0;
    std::string reason_;
};

} // namespace
} // namespace aios::desk

int main() {
    aios::application::Agent agent;
    aios::desk::Librarian librarian(agent);
    agent.offer({.intent = "documents.take_in",
                 .description = "takes the documents of the job into the memory",
                 .preconditions = {"documents.available"},
                 .effects = {"memory.ready"},
                 .cost = 10},
                [&](auto& request) { return librarian.take_in(request); });
    return agent.run();
}
