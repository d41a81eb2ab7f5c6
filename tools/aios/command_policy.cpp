// `aios policy check|explain|test`: Cedar policies on the host.
#include <cstdio>
#include <format>
#include <nlohmann/json.hpp>

#include "policy/language/validator.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/policy/decide.hpp"
#include "tools/aios/policy/public_test.hpp"

namespace aios::host {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20; // of one file

struct PolicyOptions {
    std::string action;
    std::vector<fs::path> files;
    std::optional<fs::path> schema, entities, request;
    bool as_json = false;
};

Outcome<PolicyOptions> parse(ArgumentList arguments) {
    PolicyOptions options;
    if (arguments.empty())
        return failure(Exit::wrong_use, "policy needs an action: check, explain or test; see ./aios policy --help.");
    options.action = arguments.front();
    if (options.action == "set")
        return failure(
            Exit::wrong_use,
            "policy set needs a node that runs, and this version has none; policy check and test work on files.");
    if (options.action != "check" && options.action != "explain" && options.action != "test")
        return failure(
            Exit::wrong_use,
            std::format("policy does not know '{}'; its actions are check, explain and test.", options.action));
    CommandLine line("policy " + options.action);
    if (options.action != "test") line.value("--schema", options.schema);
    if (options.action == "explain") {
        line.value("--entities", options.entities);
        line.value("--request", options.request);
        line.flag("--json", options.as_json);
    }
    const auto files = HOST_TRY(line.parse(arguments.subspan(1)));
    options.files.assign(files.begin(), files.end());
    if (options.files.empty()) return failure(Exit::wrong_use, std::format("policy {} needs a file.", options.action));
    if (options.action != "test" && options.files.size() != 1)
        return failure(Exit::wrong_use, std::format("policy {} takes one file of policies.", options.action));
    if (options.action == "explain" && !options.request)
        return failure(Exit::wrong_use, "policy explain needs --request FILE: what to decide.");
    return options;
}

Failure of(const fs::path& file, const policy::Complaint& complaint) {
    return {Exit::bad_input, std::format("{}:{}:{}: {}", file.string(), complaint.position.line,
                                         complaint.position.column, complaint.sentence)};
}

Outcome<policy::PolicySet> read_policies(const fs::path& file) {
    auto set = policy::parse_policies(HOST_TRY(read_file(file, kMaxBytes)));
    if (!set) return std::unexpected(of(file, set.error()));
    return std::move(*set);
}

Outcome<std::optional<policy::Schema>> read_schema(const std::optional<fs::path>& file) {
    if (!file) return std::optional<policy::Schema>();
    auto schema = policy::parse_schema(HOST_TRY(read_file(*file, kMaxBytes)));
    if (!schema) return std::unexpected(of(*file, schema.error()));
    return std::optional<policy::Schema>(std::move(*schema));
}

Outcome<json> read_json(const fs::path& file) {
    json parsed = json::parse(HOST_TRY(read_file(file, kMaxBytes)), nullptr, false);
    if (parsed.is_discarded()) return failure(Exit::bad_input, std::format("{} is not JSON.", file.string()));
    return parsed;
}

// Prints what the validator says of the set. true: nothing.
bool is_valid(const fs::path& file, const policy::PolicySet& set, const policy::Schema& schema) {
    const std::vector<policy::Complaint> complaints = policy::validate(set, schema);
    for (const policy::Complaint& one : complaints)
        std::printf("%s:%u:%u: %s: %s\n", file.c_str(), one.position.line, one.position.column, one.policy.c_str(),
                    one.sentence.c_str());
    return complaints.empty();
}

Outcome<Exit> check(const PolicyOptions& options) {
    const fs::path& file = options.files.front();
    policy::PolicySet set = HOST_TRY(read_policies(file));
    const std::optional<policy::Schema> schema = HOST_TRY(read_schema(options.schema));
    if (schema && !is_valid(file, set, *schema)) return Exit::differs;
    const std::size_t count = set.policies.size();
    const PolicyEngine engine(std::move(set));
    std::printf("%s: %zu %s, %zu bytes compiled; %s\n", file.c_str(), count, count == 1 ? "policy" : "policies",
                engine.bytes(), schema ? "valid by the schema" : "well-formed (no --schema given: not validated)");
    return Exit::well;
}

Outcome<Exit> explain(const PolicyOptions& options) {
    const fs::path& file = options.files.front();
    policy::PolicySet set = HOST_TRY(read_policies(file));
    const std::optional<policy::Schema> schema = HOST_TRY(read_schema(options.schema));
    if (schema && !is_valid(file, set, *schema)) return Exit::differs;
    const json entities = options.entities ? HOST_TRY(read_json(*options.entities)) : json::array();
    const EntityData data(entities, schema ? &*schema : nullptr);
    const RequestData request(HOST_TRY(read_json(*options.request)), schema ? &*schema : nullptr, true);
    PolicyEngine engine(std::move(set));
    const PolicyDecision decision = engine.decide(data, request);
    if (options.as_json) {
        json out = {{"decision", decision.allowed ? "allow" : "deny"},
                    {"reason", decision.deciding},
                    {"errors", decision.failing}};
        std::printf("%s\n", out.dump(2).c_str());
        return Exit::well;
    }
    std::printf("%s\n", decision.allowed ? "allow" : decision.deciding.empty() ? "deny: no policy permits it" : "deny");
    std::size_t next = 0;
    for (const policy::Policy& one : engine.set().policies) {
        if (one.is_template()) continue;
        const policy::Verdict verdict = decision.verdicts[next++];
        std::printf("  %s (%s:%u, %s): %.*s%s\n", one.id.c_str(), file.c_str(), one.position.line,
                    one.effect == policy::Effect::permit ? "permit" : "forbid",
                    static_cast<int>(policy::sentence_of(verdict).size()), policy::sentence_of(verdict).data(),
                    policy::is_error(verdict) ? "; so it counts for nothing" : "");
    }
    return Exit::well;
}

Outcome<Exit> test(const PolicyOptions& options) {
    std::size_t requests = 0;
    for (const fs::path& file : options.files) {
        const PublicTestResult result = HOST_TRY(run_public_test(file));
        requests += result.requests;
        if (!result.difference.empty()) {
            std::printf("%s: %s\n", file.c_str(), result.difference.c_str());
            return Exit::differs;
        }
    }
    std::printf("%zu %s, %zu requests: all as expected\n", options.files.size(),
                options.files.size() == 1 ? "file" : "files", requests);
    return Exit::well;
}

} // namespace

Outcome<Exit> command_policy(const Places&, ArgumentList arguments) {
    const PolicyOptions options = HOST_TRY(parse(arguments));
    try {
        if (options.action == "check") return check(options);
        if (options.action == "explain") return explain(options);
        return test(options);
    } catch (const DataError& error) {
        return failure(Exit::bad_input, error.sentence);
    } catch (const policy::Complaint& complaint) {
        return std::unexpected(of(options.files.front(), complaint));
    }
}

} // namespace aios::host
