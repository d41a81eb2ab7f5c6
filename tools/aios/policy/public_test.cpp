// See public_test.hpp.
#include "tools/aios/policy/public_test.hpp"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "policy/language/validator.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/policy/decide.hpp"

namespace aios::host {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20;

Outcome<fs::path> find(const fs::path& test, const std::string& named) {
    std::error_code ignored;
    const fs::path folder = fs::absolute(test, ignored).parent_path();
    for (fs::path at = folder;; at = at.parent_path()) {
        if (fs::is_regular_file(at / named, ignored)) return at / named;
        if (at == at.parent_path()) break;
    }
    const fs::path beside = folder / fs::path(named).filename();
    if (fs::is_regular_file(beside, ignored)) return beside;
    return failure(Exit::bad_input,
                   std::format("{}: the file {} is not found beside it or in a folder above.", test.string(), named));
}

Outcome<std::string> named_file(const fs::path& test, const json& description, const char* name) {
    const auto at = description.find(name);
    if (at == description.end() || !at->is_string())
        return failure(Exit::bad_input, std::format("{}: '{}' is missing; it names a file.", test.string(), name));
    return read_file(HOST_TRY(find(test, at->get<std::string>())), kMaxBytes);
}

std::string listed(std::vector<std::string> ids) {
    std::ranges::sort(ids);
    std::string out = "[";
    for (const std::string& id : ids)
        out += (out.size() > 1 ? ", " : "") + id;
    return out + "]";
}

std::string expected_ids(const json& request, const char* name) {
    const auto at = request.find(name);
    return listed(at == request.end() ? std::vector<std::string>() : at->get<std::vector<std::string>>());
}

// Empty: the decision is the expected one.
std::string difference_of(const json& request, PolicyEngine& engine, const EntityData& entities,
                          const policy::Schema& schema) {
    const RequestData data(request, &schema, request.value("validateRequest", true));
    const PolicyDecision decision = engine.decide(entities, data);
    const std::string expected = request.value("decision", ""), found = decision.allowed ? "allow" : "deny";
    if (expected != found) return std::format("the decision is {}, expected is {}", found, expected);
    if (const std::string ids = expected_ids(request, "reason"); ids != listed(decision.deciding))
        return std::format("{} decided, expected are {}", listed(decision.deciding), ids);
    if (const std::string ids = expected_ids(request, "errors"); ids != listed(decision.failing))
        return std::format("{} err, expected are {}", listed(decision.failing), ids);
    return {};
}

PublicTestResult run(const json& description, policy::PolicySet set, const policy::Schema& schema,
                     const json& entities) {
    PublicTestResult result;
    const std::vector<policy::Complaint> complaints = policy::validate(set, schema);
    if (description.value("shouldValidate", true) != complaints.empty()) {
        result.difference = complaints.empty()
                                ? "the policies validate, expected is that they do not"
                                : std::format("the policies do not validate, expected is that they do: {}: {}",
                                              complaints.front().policy, complaints.front().sentence);
        return result;
    }
    PolicyEngine engine(std::move(set));
    const EntityData data(entities, &schema);
    for (const json& request : description.value("requests", json::array())) {
        ++result.requests;
        std::string difference;
        try {
            difference = difference_of(request, engine, data, schema);
        } catch (const DataError& error) {
            difference = error.sentence;
        }
        if (difference.empty()) continue;
        result.difference =
            std::format("request {} ({}): {}", result.requests - 1, request.value("description", ""), difference);
        break;
    }
    return result;
}

} // namespace

Outcome<PublicTestResult> run_public_test(const fs::path& file) {
    const json description = json::parse(HOST_TRY(read_file(file, kMaxBytes)), nullptr, false);
    if (!description.is_object())
        return failure(Exit::bad_input, std::format("{} is not a test: a JSON object is expected.", file.string()));
    const std::string policies = HOST_TRY(named_file(file, description, "policies"));
    const std::string schema_text = HOST_TRY(named_file(file, description, "schema"));
    const json entities = json::parse(HOST_TRY(named_file(file, description, "entities")), nullptr, false);
    auto set = policy::parse_policies(policies);
    if (!set) return PublicTestResult{0, "the policies cannot be read: " + set.error().sentence};
    auto schema = policy::parse_schema(schema_text);
    if (!schema) return PublicTestResult{0, "the schema cannot be read: " + schema.error().sentence};
    try {
        return run(description, std::move(*set), *schema, entities);
    } catch (const DataError& error) {
        return PublicTestResult{0, error.sentence};
    } catch (const policy::Complaint& complaint) {
        return PublicTestResult{0, complaint.sentence};
    } catch (const json::exception& error) {
        return failure(Exit::bad_input, std::format("{} is not a test: {}", file.string(), error.what()));
    }
}

} // namespace aios::host
