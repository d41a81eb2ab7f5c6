// Known-answer files of NIST's ACVP: a prompt and its expected results, matched by the number of the test case.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "tests/support/json.hpp"

namespace aios::test {

// Runs every case of a prompt file with its expected result. False if the files are not there.
using AcvpCase = std::function<void(const Json& group, const Json& test, const Json& expected)>;

inline bool for_each_acvp_case(const std::string& folder, const AcvpCase& run) {
    std::string prompt_text;
    std::string expected_text;
    if (!read_shared("vectors/acvp/" + folder + "/prompt.json", prompt_text)) return false;
    if (!read_shared("vectors/acvp/" + folder + "/expectedResults.json", expected_text)) return false;
    const auto prompt = read_json(prompt_text);
    const auto expected = read_json(expected_text);
    std::map<std::int64_t, const Json*> results;
    for (const auto& group : expected["testGroups"].items) {
        for (const auto& result : group["tests"].items)
            results[result["tcId"].number] = &result;
    }
    for (const auto& group : prompt["testGroups"].items) {
        for (const auto& test : group["tests"].items)
            run(group, test, *results.at(test["tcId"].number));
    }
    return true;
}

// Runs every case of an internalProjection file, in which prompt and results are one. False if it is not there.
using ProjectedAcvpCase = std::function<void(const Json& group, const Json& test)>;

inline bool for_each_projected_acvp_case(const std::string& folder, const ProjectedAcvpCase& run) {
    std::string text;
    if (!read_shared("vectors/acvp/" + folder + "/internalProjection.json", text)) return false;
    const auto projection = read_json(text);
    for (const auto& group : projection["testGroups"].items) {
        for (const auto& test : group["tests"].items)
            run(group, test);
    }
    return true;
}

} // namespace aios::test
