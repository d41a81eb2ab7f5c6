// What is left of a program of `./aios run-linux` that is ended from outside: at its time limit, or by a signal.
#include <csignal>
#include <format>

#include "tests/scenario/run_linux.hpp"

namespace aios::scenario {

SCENARIO(the_time_limit_keeps_what_was_changed) {
    world.put("data/old", "one\n");
    const auto late =
        world.aios({"run-linux", "--timeout", "25", "--dir", world.at("data") + ":/work:rw", "--out", world.at("out"),
                    "--with", "sleep", "--", "sh", "-c", "echo two > /work/new; echo written; sleep 1000"});
    EXPECT_SAYING(late.status == 124 && late.out == "written\n", late.out + late.err);
    EXPECT(world.get(world.at("out/work/new")) == "two\n");
}

SCENARIO(an_interruption_keeps_what_was_changed) {
    world.put("data/old", "one\n");
    const std::string line = std::format(
        "mkfifo '{0}'; sleep 1000 > '{0}' & holder=$!; "
        "'{1}' run-linux --timeout 240 --dir '{2}:/work:rw' --out '{3}' --with sleep -- "
        "sh -c 'echo two > /work/new; echo written; sleep 1000' < '{0}' > '{4}' & run=$!; "
        "until grep -q written '{4}'; do sleep 0.2; kill -0 $run || exit 9; done; kill -TERM $run; wait $run; "
        "status=$?; kill $holder; exit $status",
        world.at("input"), (world.root / "aios").native(), world.at("data"), world.at("out"), world.at("text"));
    const auto ended = host::capture_process({"/bin/sh", "-c", line}, std::chrono::seconds(300));
    EXPECT_SAYING(ended.status == 128 + SIGTERM, std::format("status {}: {}", ended.status, ended.err));
    EXPECT(world.get(world.at("out/work/new")) == "two\n");
}

} // namespace aios::scenario
