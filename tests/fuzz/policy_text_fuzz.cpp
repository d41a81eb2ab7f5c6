// Any text as policies, and as a schema: parsed, validated, compiled and evaluated without a crash, within bounds; what
// was compiled opens again.
#include <vector>

#include "base/assert.hpp"
#include "policy/evaluate.hpp"
#include "policy/language/compiler.hpp"
#include "policy/language/parser.hpp"
#include "policy/language/validator.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aios;
    using namespace aios::policy;
    static const Schema schema = *parse_schema("entity U in [U] = { a: Long, b?: U, s: Set<String> } tags Long; action "
                                               "v appliesTo { principal: U, resource: U, context: { c?: Long } };");
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)parse_schema(text);
    const auto set = parse_policies(text);
    if (!set) return 0;
    (void)validate(*set, schema);
    const auto block = compile(*set);
    if (!block) return 0;
    const auto program = Program::open(std::as_bytes(std::span(*block)));
    AIOS_ASSERT(program.has_value());
    Value stack[64];
    alignas(16) std::byte arena[4096];
    std::vector<Verdict> verdicts(program->policy_count());
    Workspace workspace{stack, arena, 100'000};
    const Request request{{"U", "u"}, {"Action", "v"}, {"U", "u"}};
    const auto decided = authorize(*program, Entities(), request, workspace, verdicts);
    if (!decided) AIOS_ASSERT(decided.error() == Error::buffer_small || decided.error() == Error::too_large);
    return 0;
}
