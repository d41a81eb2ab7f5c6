// Whoever waits for an answer gets one: also when a capability in it has died, when the server cannot send it, and when it
// answers twice. Needs AIOS.
#include <thread>

#include "runtime/ipc/channel.hpp"
#include "runtime/kernel/startup.hpp"
#include "tests/linux/test.hpp"

using namespace linux_test;
using namespace aios;

namespace {

constexpr std::uint64_t kTooLong = 20'000'000'000; // ns

std::uint64_t soon() { return sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic)).value_or(0) + kTooLong; }

// What a caller hears when `grants` go with the answer.
Result<ipc::Incoming> answer_with(Handle self, const ipc::Grants& grants) {
    ipc::Server server = TRY(ipc::Server::create(self, 4, 1 << 20));
    const Rights to_send = rights::send | rights::derive | rights::transfer;
    ipc::Peer peer(OwnedHandle(TRY(sys::handle_derive(server.handle(), to_send.bits()))));
    Result<ipc::Incoming> heard = fail(Error::not_ready);
    std::thread caller([&] {
        ipc::Intent question;
        question.name = "any.thing";
        heard = peer.call(question, {}, soon());
    });
    auto request = server.next(soon());
    if (request) (void)server.reply(request->reply_to, ipc::inform(request->intent, {}), grants); // the caller tells
    caller.join();
    TRY(request);
    return heard;
}

} // namespace

int main() {
    program = "answers";
    if (!on_aios()) {
        skip("all", "the calls are of AIOS");
        return finish();
    }
    const StartupBlock* block = startup_block();
    const Handle self = block == nullptr ? kNoHandle : find_handle(*block, StartupRole::self);

    run("a_live_capability_comes_with_it", [&] {
        const auto pool = sys::agent_pool_alloc(self, 4096);
        CHECK(pool.has_value());
        const auto heard = answer_with(self, {{*pool, rights::read.bits(), 7}});
        CHECK(heard && heard->intent.is_positive() && heard->handles.size() == 1);
    });
    run("a_dead_capability_is_said", [&] {
        const auto pool = sys::agent_pool_alloc(self, 4096);
        CHECK(pool.has_value());
        const auto below = sys::handle_derive(*pool, (rights::read | rights::transfer).bits());
        CHECK(below.has_value() && sys::handle_revoke(*pool).has_value());
        const auto heard = answer_with(self, {{*below, rights::read.bits(), 7}});
        if (!heard) return failed("hears", __LINE__, std::string(error_info(heard.error()).name));
        CHECK(!heard->intent.is_positive() && heard->intent.error == Error::revoked && heard->handles.empty());
    });
    run("what_is_not_held_is_said", [&] {
        const auto heard = answer_with(self, {{Handle{0x700000123}, rights::read.bits(), 7}});
        CHECK(heard && !heard->intent.is_positive() && heard->intent.error == Error::bad_handle);
    });
    run("a_second_answer_is_nobodys", [&] {
        auto server = ipc::Server::create(self, 4, 1 << 20);
        CHECK(server.has_value());
        ipc::Intent nothing;
        const auto told = server->reply(77, nothing);
        CHECK(!told && told.error() == Error::not_found);
    });
    return finish();
}
