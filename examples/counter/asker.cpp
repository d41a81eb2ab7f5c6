// Asks for words to be counted, and finds whoever does that by what it means.
#include <cstdio>

#include "runtime/application/agent.hpp"

int main() {
    using namespace aios;
    application::Agent agent;
    if (!agent.announce()) return 1;
    std::string why_not;
    auto counter = agent.find({.meaning = "how many words are in this text"}, &why_not);
    if (!counter) {
        std::printf("nobody counts: %s\n", why_not.c_str());
        return 1;
    }
    ipc::Intent request;
    request.name = counter->intent;
    request.slots.set("text", "one two three");
    const auto answer = counter->peer.call(request, {}, application::now_ns() + 60'000'000'000);
    const auto words = answer ? answer->intent.slots.integer("words") : Result<std::int64_t>(fail(answer.error()));
    if (!words) return 1;
    std::printf("%s counts %d words\n", counter->agent.c_str(), static_cast<int>(*words));
}
