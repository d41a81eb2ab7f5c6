#include "services/semantic-ipcd/refusals.hpp"

#include <cstdio>

#include "messages/view.hpp"
#include "runtime/clients/host.hpp"

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
    return clients::tell_host(
        port_, messages::view::Refusal{
                   .agent = refusal.agent, .text = refusal.sentence, .call = refusal.call, .object = refusal.object});
}

} // namespace aios::broker
