// See decide.hpp.
#include "tools/aios/policy/decide.hpp"

#include "policy/language/compiler.hpp"

namespace aios::host {

namespace {

constexpr std::size_t kStack = 16'384;               // values
constexpr std::size_t kArena = std::size_t{4} << 20; // bytes
constexpr std::uint64_t kBudget = 1'000'000'000;     // a person waits for the answer, not a kernel

} // namespace

PolicyEngine::PolicyEngine(policy::PolicySet set)
    : set_(std::move(set)), stack_(kStack), arena_(kArena / sizeof(std::max_align_t)) {
    auto compiled = policy::compile(set_);
    if (!compiled) throw std::move(compiled.error());
    block_ = std::move(*compiled);
    auto opened = policy::Program::open(std::as_bytes(std::span(block_)));
    if (!opened) throw policy::Complaint{{}, "the compiled policies are damaged", {}};
    program_ = *opened;
}

PolicyDecision PolicyEngine::decide(const EntityData& entities, const RequestData& request) {
    PolicyDecision made;
    made.verdicts.resize(program_.policy_count());
    policy::Workspace workspace{stack_, std::as_writable_bytes(std::span(arena_)), kBudget};
    const auto allowed = policy::authorize(program_, entities.view(), request.view(), workspace, made.verdicts);
    if (!allowed) throw DataError{"the evaluation was given up: " + std::string(error_info(allowed.error()).sentence)};
    made.allowed = *allowed;
    bool forbidden = false;
    for (std::uint32_t i = 0; i < program_.policy_count(); ++i)
        forbidden = forbidden || (made.verdicts[i] == policy::Verdict::satisfied &&
                                  program_.policy(i).effect == policy::Effect::forbid);
    const policy::Effect decisive = forbidden ? policy::Effect::forbid : policy::Effect::permit;
    for (std::uint32_t i = 0; i < program_.policy_count(); ++i) {
        const std::string id(program_.string(program_.policy(i).id).value_or(""));
        if (made.verdicts[i] == policy::Verdict::satisfied && program_.policy(i).effect == decisive)
            made.deciding.push_back(id);
        if (policy::is_error(made.verdicts[i])) made.failing.push_back(id);
    }
    return made;
}

} // namespace aios::host
