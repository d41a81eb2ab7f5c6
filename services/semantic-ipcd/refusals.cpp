#include "services/semantic-ipcd/refusals.hpp"

#include <cstdio>
#include <vector>

#include "base/cbor.hpp"
#include "runtime/kernel/calls.hpp"

namespace aios::broker {

void Refusals::tell(const std::string& agent, const std::string& sentence) {
    if (told_.size() >= kMaxTold || !told_.insert(sentence).second) return;
    std::printf("semantic-ipcd: refused: %s\n", sentence.c_str());
    (void)send(agent, sentence); // a host that does not listen cannot be helped; the console has it
    if (told_.size() == kMaxTold) (void)send("semantic-ipcd", "further refusals of offers are not listed");
}

Result<> Refusals::send(std::string_view agent, std::string_view sentence) {
    if (port_ == kNoHandle) return {};
    std::vector<std::byte> bytes(agent.size() + sentence.size() + 64);
    cbor::Encoder out(bytes);
    out.map(3);
    out.key(0).text("refusal");
    out.key(1).text(agent);
    out.key(2).text(sentence);
    const Bytes encoded = TRY(out.finish());
    TRY(sys::host_send(port_, encoded.data(), encoded.size()));
    return {};
}

} // namespace aios::broker
