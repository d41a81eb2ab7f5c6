// `aios-host boot`: boots the kernel with a container as it is, or with none, and shows everything that it says; for
// developers and for tests. Kernel text and consoles go to standard output. The exit status is 0 if the machine powered
// off well.
#include <cstdio>
#include <format>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/bundle.hpp"
#include "tools/aios/machine/machine.hpp"
#include "tools/aios/machine/uefi_boot.hpp"
#include "tools/aios/options.hpp"
#include "tools/aios/record/audit_log.hpp"
#include "tools/aios/record/frames.hpp"

namespace aios::host {

namespace {

void show(std::string_view who, std::string_view text) {
    std::printf("%s| %s\n", printable(who).c_str(), printable_lines(text).c_str());
    std::fflush(stdout);
}

Outcome<> show_frame(const Frame& frame) {
    cbor::Decoder in(frame.body);
    if (frame.kind == FrameKind::console) {
        auto text = as_text(in.bytes().value_or(Bytes()));
        while (text.ends_with('\n'))
            text.remove_suffix(1);
        show(frame.name, text);
    } else if (frame.kind == FrameKind::job_output) {
        show(frame.name, "job output " + diagnostic(as_text(in.bytes().value_or(Bytes()))));
    } else {
        show(frame.name,
             std::format("frame {} {}", static_cast<std::uint64_t>(frame.kind), diagnostic(as_text(frame.body))));
    }
    return {};
}

} // namespace

Outcome<Exit> command_boot(const Places& places, ArgumentList arguments) {
    const BootOptions options = HOST_TRY(parse_boot(arguments));
    const Scratch scratch = HOST_TRY(Scratch::create());
    MachineSpec spec;
    spec.boot = options.boot;
    spec.processors = options.processors;
    spec.machine = options.machine;
    spec.cpu = options.cpu;
    spec.memory_mib = options.memory_mib;
    spec.kernel = places.kernel();
    spec.container = options.container;
    spec.command_line = options.append;
    spec.count_instructions = options.count_instructions;
    spec.limit = std::chrono::seconds(options.timeout_seconds);
    if (options.boot == BootKind::uefi) {
        if (spec.container.empty()) {
            spec.container = scratch.path() / "container";
            Bundle none;
            static_cast<void>(HOST_TRY(write_container(spec.container, none, none)));
        }
        HOST_TRY(prepare_uefi_boot(places.loader(), scratch.path(), spec));
    }
    LineCutter lines([](std::string_view line) { show("kernel", line); });
    FrameReader reader;
    Outcome<> broken;
    const MachineEars ears{
        [&](std::string_view text) { lines.feed(text); },
        [&](std::string_view bytes) {
            broken = reader.feed(bytes, show_frame);
            return broken.has_value();
        },
        {},
    };
    const MachineResult result = HOST_TRY(run_machine(spec, ears));
    lines.finish();
    std::fputs(result.message.c_str(), stderr);
    HOST_TRY(broken);
    if (result.end == MachineEnd::out_of_time)
        return failure(Exit::out_of_time, "the machine did not power off in time.");
    if (result.status == kStatusWell) return Exit::well;
    return failure(Exit::failed_inside, std::format("the machine ended with QEMU status {}.", result.status));
}

} // namespace aios::host
