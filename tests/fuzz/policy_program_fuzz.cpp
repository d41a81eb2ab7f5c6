// Any bytes as compiled policies: opened or refused, evaluated to an answer or an error.
#include <cstring>
#include <vector>

#include "policy/evaluate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aios;
    using namespace aios::policy;
    std::vector<std::uint64_t> block(size / 8);
    if (!block.empty()) std::memcpy(block.data(), data, block.size() * 8);
    const auto program = Program::open(std::as_bytes(std::span(block)));
    if (!program || program->policy_count() > 4096) return 0;
    Value stack[64];
    alignas(16) std::byte arena[4096];
    std::vector<Verdict> verdicts(program->policy_count());
    Workspace workspace{stack, arena, 100'000};
    const Request request{{"U", "u"}, {"Action", "v"}, {"U", "u"}};
    (void)authorize(*program, Entities(), request, workspace, verdicts);
    return 0;
}
