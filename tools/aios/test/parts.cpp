// See test_parts.hpp.
#include "tools/aios/test/parts.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <format>
#include <future>
#include <memory>
#include <thread>

#include "tools/aios/host/stop.hpp"

namespace aios::host {

namespace {

constexpr std::size_t kMostAtATime = 16;
constexpr std::chrono::milliseconds kBetweenLooks{500};

} // namespace

void run_parts(const std::vector<TestPart>& parts, TestLog& log) {
    std::vector<std::unique_ptr<TestLog>> logs;
    for (std::size_t i = 0; i < parts.size(); ++i)
        logs.push_back(log.part());
    std::vector<std::promise<void>> ends(parts.size());
    std::atomic<std::size_t> next = 0, done = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < parts.size(); i = next++) {
            if (stop_signal() == 0) parts[i](*logs[i]);
            ++done;
            ends[i].set_value();
        }
    };
    const std::size_t processors = std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
    std::vector<std::thread> workers;
    for (std::size_t i = 0; i < std::min({processors, kMostAtATime, parts.size()}); ++i)
        workers.emplace_back(work);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto end = ends[i].get_future();
        while (end.wait_for(kBetweenLooks) != std::future_status::ready)
            log.progress().show("parts of this level", done, parts.size());
        log.take(*logs[i]);
    }
    for (std::thread& worker : workers)
        worker.join();
}

} // namespace aios::host
