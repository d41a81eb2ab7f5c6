// The level `interop`: tests/interop/main.mjs under the Node.js that the script has fetched, against the host program
// of the release build.
#include <format>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/machine/node.hpp"
#include "tools/aios/test/levels.hpp"

namespace aios::host {

namespace {

constexpr std::chrono::minutes kLimit{20};

} // namespace

void test_interop(const Places& places, TestLog& log) {
    log.group("interop");
    const auto node = find_node(places);
    if (!node) {
        log.result("interop", TestOutcome::skipped, node.error());
        return;
    }
    const std::filesystem::path build = places.root / "build" / "release";
    bool any = false;
    LineCutter lines([&](std::string_view line) {
        if (log.take_line(line))
            any = true;
        else
            log.explain(line);
    });
    const ProcessResult result =
        run_process({node->native(), (places.root / "tests" / "interop" / "main.mjs").native(),
                     (build / "tools" / "aios" / "aios-host").native(), npm_folder(places).native(), build.native()},
                    kLimit, [&](std::string_view text) {
                        lines.feed(text);
                        log.progress().tick();
                    });
    lines.finish();
    if (result.out_of_time)
        log.result("interop", TestOutcome::failed, "out of time");
    else if (!any || result.status > 1)
        log.result("interop", TestOutcome::failed, std::format("the tests ended with status {}", result.status));
}

} // namespace aios::host
