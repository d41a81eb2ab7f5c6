// Counts the words of a text.
#include <sstream>

#include "runtime/application/agent.hpp"

int main() {
    using namespace aios;
    application::Agent agent;
    agent.offer({.intent = "text.count",
                 .description = "counts the words of a text",
                 .inputs = {{"text", ipc::ValueType::text}}},
                [](const ipc::Incoming& request) -> application::Reply {
                    const auto text = request.intent.slots.text("text");
                    if (!text) return ipc::refuse(request.intent, text.error(), "text.count needs the slot text");
                    std::istringstream words{std::string(*text)};
                    std::int64_t count = 0;
                    for (std::string word; words >> word;) {
                        ++count;
                    }
                    return ipc::inform(request.intent, {{"words", count}});
                });
    return agent.run();
}
