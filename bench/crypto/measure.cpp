#include "bench/crypto/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <format>

#include <sched.h>
#include <unistd.h>
#include <x86intrin.h>

#include "crypto/backend.hpp"

namespace aios::bench {

namespace {

enum class Implementation { avx2, portable, openssl };

// How an operation of a weight is measured: repetitions in a sample, samples in a turn, rounds of turns.
struct Effort {
    std::size_t repetitions;
    std::size_t samples;
    std::size_t rounds;
    bool warm_up;
};

constexpr Effort effort_of(Weight weight, bool quick) {
    switch (weight) {
    case Weight::small:
        return {.repetitions = 50, .samples = 10, .rounds = quick ? 10u : 40u, .warm_up = true};
    case Weight::usual:
        return {.repetitions = 1, .samples = 10, .rounds = quick ? 20u : 100u, .warm_up = true};
    case Weight::long_one:
        return {.repetitions = 1, .samples = 1, .rounds = quick ? 3u : 20u, .warm_up = false};
    case Weight::heavy:
        return {.repetitions = 1, .samples = 1, .rounds = quick ? 1u : 5u, .warm_up = false};
    }
    return {};
}

std::uint64_t ticks() {
    _mm_lfence();
    const std::uint64_t now = __rdtsc();
    _mm_lfence();
    return now;
}

// One implementation of one operation, with what was measured of it.
struct Contender {
    std::size_t row;
    Implementation implementation;
    Body body;
    Effort effort;
    std::size_t repetition = 0;
    std::vector<double> samples = {};

    // Runs one turn; false if the operation failed.
    bool turn() {
        if (implementation != Implementation::openssl) {
            const auto backend =
                implementation == Implementation::avx2 ? crypto::Backend::avx2 : crypto::Backend::portable;
            if (!crypto::use_backend(backend)) return false;
        }
        // The unmeasured run repeats the last one: the sequence of repetitions is the same for all.
        if (effort.warm_up && !body(repetition)) return false;
        for (std::size_t i = 0; i < effort.samples; ++i) {
            bool good = true;
            const std::uint64_t start = ticks();
            for (std::size_t r = 0; r < effort.repetitions; ++r)
                good = body(repetition++) && good;
            const std::uint64_t end = ticks();
            if (!good) return false;
            samples.push_back(static_cast<double>(end - start) / static_cast<double>(effort.repetitions));
        }
        return true;
    }

    [[nodiscard]] double median() {
        std::ranges::sort(samples);
        const std::size_t middle = samples.size() / 2;
        return samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
    }
};

std::vector<Contender> contenders_of(const std::vector<Row>& rows, bool quick) {
    std::vector<Contender> all;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Operation& operation = rows[i].operation;
        const Effort effort = effort_of(operation.weight, quick);
        const auto add = [&](Implementation implementation, Body body) {
            all.push_back({.row = i, .implementation = implementation, .body = std::move(body), .effort = effort});
        };
        if (crypto::is_supported(crypto::Backend::avx2)) add(Implementation::avx2, operation.ours);
        add(Implementation::portable, operation.ours);
        if (Body body = openssl_body(operation)) add(Implementation::openssl, std::move(body));
    }
    return all;
}

// One line on standard error that moves on a terminal; elsewhere a line a tenth of the way.
class ProgressLine {
public:
    ProgressLine(bool shown, std::size_t total) : shown_(shown), terminal_(isatty(STDERR_FILENO) == 1), total_(total) {}
    ~ProgressLine() {
        if (shown_ && terminal_) std::fputs("\r\033[K", stderr);
    }
    void step(const Operation& operation) {
        const std::size_t percent = ++done_ * 100 / std::max<std::size_t>(total_, 1);
        if (!shown_ || percent < next_) return;
        next_ = percent + (terminal_ ? 1 : 10);
        if (terminal_)
            std::fprintf(stderr, "\r\033[Kbench: %zu %%, %s %s", percent, operation.algorithm.c_str(),
                         operation.operation.c_str());
        else
            std::fprintf(stderr, "bench: %zu %%\n", percent);
    }

private:
    bool shown_;
    bool terminal_;
    std::size_t total_;
    std::size_t done_ = 0;
    std::size_t next_ = 0;
};

} // namespace

bool pin_to_one_cpu() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(sched_getcpu()), &set);
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}

double ticks_a_second() {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const std::uint64_t first = ticks();
    auto now = start;
    while (now - start < std::chrono::milliseconds(100))
        now = Clock::now();
    return static_cast<double>(ticks() - first) / std::chrono::duration<double>(now - start).count();
}

std::vector<Row> measure(std::vector<Operation> operations, const Settings& settings, std::optional<Failure>& failure) {
    std::vector<Row> rows;
    for (Operation& operation : operations)
        if (!settings.quick || operation.in_quick) rows.push_back({.operation = std::move(operation)});
    const bool had_avx2 = crypto::use_avx2();
    std::vector<Contender> contenders = contenders_of(rows, settings.quick);
    std::size_t turns = 0;
    std::size_t rounds = 0;
    for (const Contender& contender : contenders) {
        turns += contender.effort.rounds;
        rounds = std::max(rounds, contender.effort.rounds);
    }
    ProgressLine progress(settings.progress, turns);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (Contender& contender : contenders) {
            // Those with fewer rounds are spread over the whole run.
            if (round * contender.effort.rounds / rounds == (round + 1) * contender.effort.rounds / rounds) continue;
            const Operation& operation = rows[contender.row].operation;
            if (!contender.turn()) {
                failure = {std::format("{}/{} failed ({}).", operation.algorithm, operation.operation,
                                       contender.implementation == Implementation::openssl    ? "OpenSSL"
                                       : contender.implementation == Implementation::portable ? "portable"
                                                                                              : "AVX2")};
                return {};
            }
            progress.step(operation);
        }
    }
    for (Contender& contender : contenders) {
        Row& row = rows[contender.row];
        (contender.implementation == Implementation::avx2       ? row.avx2
         : contender.implementation == Implementation::portable ? row.portable
                                                                : row.openssl) = contender.median();
    }
    (void)crypto::use_backend(had_avx2 ? crypto::Backend::avx2 : crypto::Backend::portable);
    return rows;
}

} // namespace aios::bench
