// Asks identityd to give a new unit its identity: an ipc_call with the intent identity.register (abi/messages.cddl) and
// a handle on the agent.
#include "base/cbor.hpp"
#include "runtime/orchestration/supervisor.hpp"

namespace aios::orchestration {
namespace {

constexpr std::uint64_t kRequest = 1, kInform = 2;  // performatives
constexpr std::uint64_t kPatience = 30'000'000'000; // ns

} // namespace

Result<> Supervisor::register_identity(std::size_t index) {
    const Unit& unit = description_.units[index];
    std::byte buffer[1536];
    cbor::Encoder out(buffer);
    out.map(6);
    out.key(0).uint(kRequest);
    out.key(1).text("identity.register");
    out.key(2).uint(index);
    out.key(3).uint(kNoDeadline);
    out.key(4).uint(0);
    out.key(5).map(2).key("program").text(unit.program).key("manifest").bytes(manifest_);
    const Bytes encoded = TRY(out.finish());

    const HandleGrant grant{units_[index].agent.get(), (rights::identify | rights::inspect | rights::wait).bits(), 0};
    Message request{};
    request.bytes = reinterpret_cast<std::uint64_t>(encoded.data()); // SAFETY: for the kernel
    request.size = encoded.size();
    request.handles = reinterpret_cast<std::uint64_t>(&grant); // SAFETY: for the kernel
    request.handle_count = 1;
    Message reply{};
    reply.bytes = reinterpret_cast<std::uint64_t>(message_); // SAFETY: for the kernel
    reply.size = sizeof(message_);
    const std::uint64_t now = TRY(sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic)));
    const Handle identityd = TRY(source_.handle_for(number_of(StartupRole::identity)));
    TRY(sys::ipc_call(identityd, &request, &reply, now + kPatience));

    cbor::Decoder in(Bytes(message_, reply.size));
    TRY(in.map_begin());
    TRY(in.expect_key(0));
    return TRY(in.uint()) == kInform ? Result<>() : fail(Error::bad_state);
}

} // namespace aios::orchestration
