// The levels whose tests run on AIOS: inside the kernel, as agents, and as Linux programs.
#include <algorithm>
#include <format>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/test/boot.hpp"

namespace aios::host {

void test_kernel(const Places& places, TestLog& log) {
    run_level(places, {"kernel", "boot", "", true},
              {{"debug", BootKind::pvh, 1, true},
               {"debug", BootKind::pvh, 2},
               {"debug", BootKind::pvh, 4},
               {"release", BootKind::pvh, 1, true},
               {"release", BootKind::pvh, 2},
               {"release", BootKind::pvh, 4},
               {"debug", BootKind::uefi, 2},
               {"release", BootKind::uefi, 4}},
              log);
}

void test_guest(const Places& places, TestLog& log) {
    run_level(places, {"guest", "guest", ""},
              {{"debug", BootKind::pvh, 2},
               {"release", BootKind::pvh, 1, false, true},
               {"release", BootKind::pvh, 2},
               {"release", BootKind::pvh, 4},
               {"release", BootKind::uefi, 2}},
              log);
}

namespace {

constexpr std::chrono::minutes kProgramLimit{10};

// The Linux tests say what Linux does: on this machine's own Linux they must all pass too.
void test_linux_here(const Places& places, TestLog& log) {
    log.group("linux on this machine");
    const auto folder = places.build / "tests" / "linux";
    std::error_code error;
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename().native();
        if (entry.is_regular_file() && name.starts_with("test_") && name != "test_init") found.push_back(entry.path());
    }
    std::ranges::sort(found);
    for (const auto& program : found) {
        LineCutter lines([&](std::string_view line) { log.take_line(line); });
        const ProcessResult result =
            run_process({program.native()}, kProgramLimit, [&](std::string_view text) { lines.feed(text); });
        lines.finish();
        const std::string name = program.filename().native();
        if (!log.wants(name)) continue;
        log.result(name, result.status == 0 ? TestOutcome::passed : TestOutcome::failed,
                   result.out_of_time   ? "out of time"
                   : result.status != 0 ? std::format("ended with status {}", result.status)
                                        : "");
    }
    if (found.empty()) log.result("linux tests", TestOutcome::failed, "none were built");
}

} // namespace

void test_linux(const Places& places, TestLog& log) {
    if (!log.options().quick && !log.options().counted) test_linux_here(places, log);
    run_level(places, {"linux", "linux", ""},
              {{"debug", BootKind::pvh, 2},
               {"release", BootKind::pvh, 1, true, true},
               {"release", BootKind::pvh, 2},
               {"release", BootKind::pvh, 4}},
              log);
}

} // namespace aios::host
