#include "services/semantic-ipcd/refusals.hpp"

#include <cstdio>
#include <vector>

#include "base/cbor.hpp"
#include "runtime/kernel/calls.hpp"

namespace aios::broker {

void Refusals::tell(const Refusal& refusal) {
    record(refusal);
    if (told_.size() >= kMaxTold || !told_.insert(refusal.sentence).second) return;
    std::printf("semantic-ipcd: refused: %s\n", refusal.sentence.c_str());
    (void)send(refusal); // a host that does not listen cannot be helped; the console has it
    if (told_.size() == kMaxTold) (void)send({0, "semantic-ipcd", "", "", "further refusals of offers are not listed"});
}

void Refusals::record(const Refusal& refusal) {
    if (log_ == kNoHandle) return;
    ServiceRefusal said{.agent = refusal.agent_id, .what = {}};
    refusal.object.copy(said.what, sizeof(said.what));
    (void)sys::log_refusal(log_, &said); // an intent without a name is told above alone
}

Result<> Refusals::send(const Refusal& refusal) {
    if (port_ == kNoHandle) return {};
    const std::size_t texts =
        refusal.agent.size() + refusal.call.size() + refusal.object.size() + refusal.sentence.size();
    std::vector<std::byte> bytes(texts + 64);
    cbor::Encoder out(bytes);
    out.map(5);
    out.key(0).text("refusal");
    out.key(1).text(refusal.agent);
    out.key(2).text(refusal.sentence);
    out.key(3).text(refusal.call);
    out.key(4).text(refusal.object);
    const Bytes encoded = TRY(out.finish());
    TRY(sys::host_send(port_, encoded.data(), encoded.size()));
    return {};
}

} // namespace aios::broker
