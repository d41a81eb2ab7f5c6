// Scenarios: each drives ./aios as a user would, in a scratch folder of its own, and looks at exit status, output and
// files.
//
//   SCENARIO(name) { ... EXPECT(condition); ... }
//
// A scenario that throws (EXPECT does) has failed; SKIP("why") names a reason. Each prints one line TEST name
// pass|fail|skip.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/json_schema.hpp"
#include "tools/aios/host/process.hpp"

namespace aios::scenario {

struct Failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct Skipped : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What a scenario works with.
class World {
public:
    World(std::filesystem::path root, std::filesystem::path scratch)
        : root(std::move(root)), scratch(std::move(scratch)) {}

    const std::filesystem::path root;    // of the project
    const std::filesystem::path scratch; // an empty folder, removed afterwards

    // Writes a file below scratch, with its folders.
    void put(std::string_view name, std::string_view bytes) const;
    [[nodiscard]] std::string get(const std::filesystem::path& path) const;
    [[nodiscard]] std::string at(std::string_view name) const { return (scratch / name).native(); }

    // ./aios with these arguments. `environment` holds NAME=VALUE; TMPDIR is scratch/tmp unless given.
    [[nodiscard]] host::Captured aios(const std::vector<std::string>& arguments,
                                      const std::vector<std::string>& environment = {},
                                      std::chrono::seconds limit = std::chrono::minutes(10)) const;

    // ./aios run with --json, which must succeed: the report, checked against its schema.
    [[nodiscard]] test::Json run(std::vector<std::string> arguments, std::string_view preset = "release") const;

    // A run that must be refused with this status, in one sentence, leaving no JSON and no scratch file behind.
    void refuses(int status, std::vector<std::string> arguments, std::string_view part_of_sentence,
                 const std::vector<std::string>& environment = {}) const;

    // A run that boots and then fails or runs out of time: one sentence, and yet a report (returned, checked against
    // its schema) and an audit log.
    [[nodiscard]] test::Json fails(int status, std::vector<std::string> arguments,
                                   std::string_view part_of_sentence) const;

    // Checks that every passage of a report is in its file, to the letter, at the lines that it names, and that
    // passages come best first from different files, but for the head of a table right before its rows.
    void check_quotations(const test::Json& report, const std::filesystem::path& documents) const;

private:
    [[nodiscard]] test::Json read_report() const;
};

struct Scenario {
    const char* name;
    void (*run)(World&);
};
std::vector<Scenario>& scenarios();

struct Register {
    Register(const char* name, void (*run)(World&)) { scenarios().push_back({name, run}); }
};

[[noreturn]] void fail_at(const char* file, int line, const std::string& what);

// A line beside the results: figures.
void say(const std::string& line);

} // namespace aios::scenario

#define SCENARIO(name)                                                                                                 \
    static void scenario_##name(::aios::scenario::World& world);                                                       \
    static const ::aios::scenario::Register register_##name(#name, &scenario_##name);                                  \
    static void scenario_##name([[maybe_unused]] ::aios::scenario::World& world)

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) ::aios::scenario::fail_at(__FILE__, __LINE__, #condition);                                   \
    } while (false)
#define EXPECT_SAYING(condition, text)                                                                                 \
    do {                                                                                                               \
        if (!(condition)) ::aios::scenario::fail_at(__FILE__, __LINE__, std::string(#condition) + ": " + (text));      \
    } while (false)
#define SKIP(reason) throw ::aios::scenario::Skipped(reason)
