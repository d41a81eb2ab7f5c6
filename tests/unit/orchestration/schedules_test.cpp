// Random systems under random crashes, in virtual time: ten thousand of them, each from its seed. Whatever happens, in
// the end every unit runs, or has ended by a rule that explains it, or the whole was given up by a rule.
//
// AIOS_SCHEDULES=N makes it N, AIOS_SCHEDULE_SEED=S runs seed S alone and prints what happened.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "tests/unit/orchestration/supervised.hpp"

namespace aios::orchestration {
namespace {

using test::CrashPhase;
using test::FakeAgent;
using test::kMs;
using test::Script;

constexpr std::uint64_t kLastCrash = 3000 * kMs; // afterwards all is left in peace ...
constexpr std::uint64_t kHorizon = 90'000 * kMs; // ... until here

class Schedule {
public:
    explicit Schedule(std::uint64_t seed) : random_(seed) {
        const bool with_identityd = chance(70);
        const std::size_t count = 1 + below(10);
        for (std::size_t i = 0; i < count; ++i) {
            Spec spec{"u" + std::to_string(i), {}, static_cast<Restart>(below(3)), chance(80), chance(60)};
            for (std::size_t need = 0; need < i; ++need) {
                if (chance(25)) spec.needs.push_back(specs[need].name);
            }
            if (i == 0 && with_identityd) {
                spec.role = static_cast<std::uint32_t>(StartupRole::identity_server);
                spec.restart = Restart::on_failure;
                spec.sends_ready = spec.essential = true;
            } else if (with_identityd && !std::ranges::contains(spec.needs, "u0")) {
                spec.needs.push_back("u0");
            }
            specs.push_back(spec);
        }
        strategy = static_cast<Strategy>(below(3));
        intensity = static_cast<unsigned>(chance(50) ? below(4) : below(30));
        period_ms = static_cast<unsigned>(1 + below(5000));
    }

    void set_up(test::FakeKernel& kernel) {
        kernel.horizon_ns = kHorizon;
        kernel.register_ns = below(20) * kMs;
        kernel.return_ns = chance(30) ? below(800) * kMs : 0;
        kernel.memory_limit = chance(30) ? (specs.size() << 20) + (below(2) << 19) : ~0ull;
        for (std::uint64_t n = chance(60) ? below(6) : 0; n != 0; --n) {
            kernel.identityd_crashes[1 + below(20)] = static_cast<CrashPhase>(below(3));
        }
        for (std::uint64_t n = below(12); n != 0; --n) {
            kernel.at(below(kLastCrash / kMs) * kMs + below(1000),
                      [this, &kernel, unit = specs[below(specs.size())].name] {
                          const auto agent = kernel.newest(unit);
                          if (!agent || !agent->is_alive()) return;
                          if (!agent->is_loaded) {
                              agent->script.load_error = Error::bad_format;
                          } else {
                              kernel.end(agent, chance(70) ? EndReason::fault : EndReason::exited, below(2));
                          }
                      });
        }
        kernel.script = [this, &kernel](const std::string& name, std::uint32_t) {
            Script script;
            script.load_ns = chance(50) ? below(5) * kMs : below(200) * kMs;
            script.ready_ns = chance(50) ? below(5) * kMs : below(200) * kMs;
            if (kernel.now() > kLastCrash) return script;
            if (chance(4)) script.spawn_error = chance(50) ? Error::bad_format : Error::quota_exceeded;
            if (chance(4)) script.load_error = chance(50) ? Error::bad_format : Error::quota_exceeded;
            if (chance(15) && name != "u0") {
                script.end_ns = below(400) * kMs;
                script.end_status = below(2);
                if (chance(20)) script.ready_ns = {};
            }
            return script;
        };
        kernel.on_spawn = [this, &kernel](const std::string& name) {
            for (const std::string& need : spec_of(name).needs) {
                if (!is_there(kernel, need)) ADD_FAILURE() << name << " starts and " << need << " is not there";
            }
        };
    }

    // Nobody waits for anything that could still come.
    void check(const Supervised& node) const {
        ASSERT_LE(node.kernel.open_handles(), 10 + 6 * specs.size()) << "handles leak";
        if (node.end) {
            EXPECT_EQ(node.kernel.living(), 0u) << "somebody outlives the run";
            check_end(node);
            return;
        }
        for (const Spec& spec : specs) {
            const auto agent = node.kernel.newest(spec.name);
            const bool runs =
                agent && agent->is_alive() && (agent->state != AgentState::created || !agent->awaits_identity);
            if (runs && (agent->said_ready || !agent->script.ready_ns || !spec.sends_ready)) continue;
            EXPECT_FALSE(agent && agent->is_alive()) << spec.name << " was started and never ran";
            EXPECT_TRUE(may_be_over(node.kernel, spec)) << spec.name << " is lost";
        }
        EXPECT_LE(counted_ends(node.kernel, false), intensity) << "more restarts than are allowed";
    }

    std::vector<Spec> specs;
    Strategy strategy;
    unsigned intensity, period_ms;

private:
    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    bool chance(unsigned percent) { return below(100) < percent; }
    [[nodiscard]] const Spec& spec_of(const std::string& name) const {
        return *std::ranges::find(specs, name, &Spec::name);
    }

    // Ready, or ended well.
    [[nodiscard]] bool is_there(const test::FakeKernel& kernel, const std::string& name) const {
        const auto agent = kernel.newest(name);
        if (!agent) return false;
        if (!agent->is_alive()) return true; // its end may not be known yet, or it was a good one
        return agent->is_loaded && !agent->kill_called && (agent->said_ready || !spec_of(name).sends_ready);
    }

    // identityd never does: it is needed as long as anything may start.
    static bool ended_well(const FakeAgent& agent) {
        return !agent.is_identityd && !agent.kill_called && agent.reason == EndReason::exited && agent.status == 0;
    }

    // Ended well for good: who needs it has what it needs. One that is always restarted never is; when it cannot start
    // again it has failed, however well it ended before.
    static bool is_done(const FakeAgent& agent, const Spec& spec) {
        return ended_well(agent) && spec.restart != Restart::always;
    }

    // A unit that does not run and is not started again, for a reason.
    [[nodiscard]] bool may_be_over(const test::FakeKernel& kernel, const Spec& spec) const {
        const auto agent = kernel.newest(spec.name);
        if (agent && is_done(*agent, spec)) return true;
        if (std::ranges::any_of(spec.needs, [&](const std::string& need) {
                const auto needed = kernel.newest(need);
                return !(needed && needed->is_alive()) && may_be_over(kernel, spec_of(need)) &&
                       !(needed && is_done(*needed, spec_of(need)));
            }))
            return !spec.essential; // an essential one that can never start ends the whole
        if (spec.essential) return false;
        const std::uint64_t refused = kernel.refused_starts(spec.name);
        if (agent && agent->kill_called && agent->reason == EndReason::killed)
            return refused != 0; // else it starts again
        const auto ends = static_cast<std::uint64_t>(
            std::ranges::count(kernel.agents(), spec.name, [](const auto& other) { return other->name; }));
        return (agent || refused != 0) && (spec.restart == Restart::never || ends + refused > intensity);
    }

    // Ends of essential units that are restarted, most of them within one period. `all`: also those that may have been
    // counted: starts that were refused, and ends that met a kill.
    [[nodiscard]] std::uint64_t counted_ends(const test::FakeKernel& kernel, bool all) const {
        std::vector<std::uint64_t> times;
        std::uint64_t refused = 0;
        for (const Spec& spec : specs) {
            if (!spec.essential || spec.restart == Restart::never) continue;
            refused += kernel.refused_starts(spec.name);
            for (const auto& agent : kernel.agents()) {
                if (agent->name != spec.name || agent->is_alive() || !agent->is_loaded) continue;
                if (spec.restart != Restart::always && ended_well(*agent)) continue;
                if (agent->kill_called && !(all && agent->reason != EndReason::killed)) continue;
                times.push_back(agent->end_ns);
            }
        }
        std::ranges::sort(times);
        std::uint64_t most = 0;
        // An end is counted a moment after it happens.
        const std::uint64_t period = all ? (period_ms + 1) * kMs : period_ms == 0 ? 0 : (period_ms - 1) * kMs;
        for (std::size_t first = 0; first < times.size(); ++first) {
            std::size_t last = first;
            while (last < times.size() && times[last] - times[first] < period) {
                ++last;
            }
            most = std::max<std::uint64_t>(most, last - first);
        }
        return most + (all ? refused : 0);
    }

    void check_end(const Supervised& node) const {
        const std::string sentence = node.sentence();
        if (sentence.ends_with("has ended") || sentence.ends_with("is left")) {
            for (const Spec& spec : specs) {
                EXPECT_TRUE(may_be_over(node.kernel, spec)) << sentence << ", but " << spec.name;
            }
            return;
        }
        EXPECT_FALSE(node.end->is_ok);
        const std::string name = sentence.substr(0, sentence.find(' '));
        ASSERT_TRUE(std::ranges::contains(specs, name, &Spec::name)) << "a sentence that names no unit: " << sentence;
        const Spec& spec = spec_of(name);
        EXPECT_TRUE(spec.essential) << "an optional unit has ended the run: " << sentence;
        if (sentence.find("cannot start") != std::string::npos || spec.restart == Restart::never) return;
        EXPECT_GT(counted_ends(node.kernel, true), intensity) << "given up too early: " << sentence;
    }

    std::mt19937_64 random_;
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void run_schedule(std::uint64_t seed, bool is_shown) {
    Schedule schedule(seed);
    Supervised node(schedule.specs, schedule.strategy, schedule.intensity, schedule.period_ms);
    schedule.set_up(node.kernel);
    node.run();
    schedule.check(node);
    if (is_shown || testing::Test::HasFailure()) {
        std::printf("strategy %d, intensity %u in %u ms\n", static_cast<int>(schedule.strategy), schedule.intensity,
                    schedule.period_ms);
        for (const Spec& spec : schedule.specs) {
            std::printf("  %s: restart %d, %s, needs", spec.name.c_str(), static_cast<int>(spec.restart),
                        spec.essential ? "essential" : "optional");
            for (const std::string& need : spec.needs) {
                std::printf(" %s", need.c_str());
            }
            std::printf("\n");
        }
        std::printf("seed %llu: %s\n%s\n%s\n", static_cast<unsigned long long>(seed), node.sentence().c_str(),
                    node.kernel.trace().c_str(), node.kernel.console().c_str());
    }
}

TEST(Schedules, RandomCrashesLoseNobody) {
    if (const std::uint64_t seed = from_environment("AIOS_SCHEDULE_SEED", 0); seed != 0) {
        run_schedule(seed, true);
        return;
    }
    const std::uint64_t count = from_environment("AIOS_SCHEDULES", 10'000);
    for (std::uint64_t seed = 1; seed <= count && !HasFailure(); ++seed) {
        SCOPED_TRACE("AIOS_SCHEDULE_SEED=" + std::to_string(seed));
        run_schedule(seed, false);
    }
}

} // namespace
} // namespace aios::orchestration
