// The stack machine that evaluates policies. See evaluate.hpp for what it promises and program.hpp for the
// instructions.
#include "policy/evaluate.hpp"

#include <algorithm>
#include <expected>
#include <memory>
#include <optional>

#include "policy/machine.hpp"

namespace aios::policy {

const Entity* Entities::find(const EntityUid& uid) const {
    const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), uid,
                                     [](const Entity& entity, const EntityUid& wanted) { return entity.uid < wanted; });
    return at != sorted_.end() && at->uid == uid ? &*at : nullptr;
}

bool Entities::is_in(const EntityUid& inner, const EntityUid& outer) const {
    if (inner == outer) return true;
    const Entity* entity = find(inner);
    return entity != nullptr && std::binary_search(entity->ancestors.begin(), entity->ancestors.end(), outer);
}

std::string_view sentence_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::not_satisfied:
        return "its conditions do not hold";
    case Verdict::satisfied:
        return "its conditions hold";
    case Verdict::type_error:
        return "an operator met a value of a type that it is not defined for";
    case Verdict::missing_attribute:
        return "an attribute that it reads is not there";
    case Verdict::missing_entity:
        return "an entity whose attribute it reads does not exist";
    case Verdict::missing_tag:
        return "a tag that it reads is not there";
    case Verdict::overflow:
        return "a number left the range of 64 bits";
    case Verdict::bad_text:
        return "a text is not of the form that its function reads";
    }
    return "";
}

Result<bool> authorize(const Program& program, const Entities& entities, const Request& request, Workspace& workspace,
                       std::span<Verdict> verdicts) {
    if (verdicts.size() != program.policy_count()) return fail(Error::bad_argument);
    bool permitted = false, forbidden = false;
    for (std::uint32_t i = 0; i < program.policy_count(); ++i) {
        const CompiledPolicy& policy = program.policy(i);
        Machine machine(program, entities, request, workspace);
        verdicts[i] = TRY(machine.run(program.code_of(policy)));
        if (verdicts[i] != Verdict::satisfied) continue;
        (policy.effect == Effect::permit ? permitted : forbidden) = true;
    }
    return permitted && !forbidden;
}

} // namespace aios::policy
