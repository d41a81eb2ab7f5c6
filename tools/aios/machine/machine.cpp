#include "tools/aios/machine/machine.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <format>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi/frames.hpp"
#include "base/bytes.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

using Clock = std::chrono::steady_clock;

// Descriptors as QEMU sees them.
constexpr int kGuestText = 3;
constexpr int kGuestFrames = 4;
constexpr std::size_t kMaxMessageKept = 16384;

struct Pair {
    Descriptor ours;
    Descriptor theirs;
};

Outcome<Pair> socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return failure(Exit::host_missing,
                       std::format("no socket can be made: {}.", lower_first(std::strerror(errno))));
    return Pair{Descriptor(ends[0]), Descriptor(ends[1])};
}

// For kernel text, which QEMU writes byte by byte: a socket would count each byte as a buffer of its own and be full
// after a few hundred, and what waits is lost when the guest powers off.
Outcome<Pair> text_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return failure(Exit::host_missing, std::format("no pipe can be made: {}.", lower_first(std::strerror(errno))));
    static_cast<void>(::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20));
    return Pair{Descriptor(ends[0]), Descriptor(ends[1])};
}

// The child process and the three streams from it.
class Machine {
public:
    Machine(pid_t child, Descriptor text, Descriptor frames, Descriptor message)
        : child_(child), text_(std::move(text)), frames_(std::move(frames)), message_(std::move(message)) {}
    ~Machine() {
        if (child_ > 0) end_process(child_);
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    [[nodiscard]] MachineResult follow(const MachineEars& ears, std::chrono::milliseconds limit);

private:
    bool listen(const MachineEars& ears, HostInput& input, int wait_ms);
    bool take(Descriptor& from, const std::function<bool(std::string_view)>& give);

    pid_t child_;
    Descriptor text_;
    Descriptor frames_;
    Descriptor message_;
    MachineResult result_;
};

// Reads once from a stream that is ready; closes it at its end. False if the reader wants no more.
bool Machine::take(Descriptor& from, const std::function<bool(std::string_view)>& give) {
    char buffer[65536];
    const ssize_t count = ::read(from.number(), buffer, sizeof buffer);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (count <= 0) {
        from.reset();
        return true;
    }
    return give(std::string_view(buffer, static_cast<std::size_t>(count)));
}

bool Machine::listen(const MachineEars& ears, HostInput& input, int wait_ms) {
    const short frames = input.has_piece() ? POLLIN | POLLOUT : POLLIN;
    pollfd streams[4] = {{text_.number(), POLLIN, 0},
                         {frames_.number(), frames, 0},
                         {message_.number(), POLLIN, 0},
                         {input.file(ears.input_taken ? ears.input_taken() : 0), POLLIN, 0}};
    if (::poll(streams, 4, wait_ms) <= 0) return true;
    bool go_on = true;
    if (streams[3].revents != 0) input.read();
    if ((streams[1].revents & POLLOUT) != 0) input.send(frames_.number());
    streams[1].revents &= ~POLLOUT;
    if (streams[0].revents != 0)
        go_on &= take(text_, [&](std::string_view bytes) { return ears.kernel_text(bytes), true; });
    if (streams[1].revents != 0) go_on &= take(frames_, ears.frames);
    if (streams[2].revents != 0)
        go_on &= take(message_, [&](std::string_view bytes) {
            result_.message.append(
                bytes.substr(0, kMaxMessageKept - std::min(kMaxMessageKept, result_.message.size())));
            return true;
        });
    return go_on;
}

MachineResult Machine::follow(const MachineEars& ears, std::chrono::milliseconds limit) {
    const auto begin = Clock::now();
    auto next_tick = begin;
    HostInput input(ears.input);
    std::optional<Clock::time_point> stop_told;
    const auto end_by_force = [&](MachineEnd end) {
        result_.end = end;
        ::kill(child_, SIGKILL);
    };
    bool killed = false;
    while (text_ || frames_ || message_) {
        if (!listen(ears, input, 100) && !killed) {
            end_by_force(MachineEnd::stopped);
            killed = true;
        }
        const auto now = Clock::now();
        if (ears.tick && now >= next_tick) {
            if (!ears.tick() && !killed) {
                end_by_force(MachineEnd::stopped);
                killed = true;
            }
            next_tick = now + std::chrono::milliseconds(100);
        }
        if (!killed && now - begin >= limit) {
            end_by_force(MachineEnd::out_of_time);
            killed = true;
        }
        if (ears.terminal != nullptr && input.has_room(ears.input_taken()))
            if (const auto window = ears.terminal->changed_window()) input.add_window(*window);
        if (stop_signal() != 0 && ears.input >= 0 && !stop_told) {
            input.add_stop();
            stop_told = now;
        }
        const bool is_asked = ears.input >= 0 && stop_count() == 1 && now - stop_told.value_or(now) < kStopAllowance;
        if (!killed && stop_signal() != 0 && !is_asked) {
            end_by_force(MachineEnd::stopped);
            killed = true;
        }
    }
    result_.status = reap_process(child_);
    child_ = 0;
    result_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return std::move(result_);
}

} // namespace

Outcome<std::filesystem::path> find_qemu() {
    if (const char* given = std::getenv("AIOS_QEMU"); given != nullptr && *given != '\0') {
        if (::access(given, X_OK) == 0) return std::filesystem::path(given);
        return failure(
            Exit::host_missing,
            std::format("AIOS_QEMU names '{}', which is not a program; correct or unset it.", printable(given)));
    }
    const char* path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
    while (true) {
        const auto colon = rest.find(':');
        const auto candidate = std::filesystem::path(rest.substr(0, colon)) / "qemu-system-x86_64";
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
        if (colon == std::string_view::npos) break;
        rest.remove_prefix(colon + 1);
    }
    return failure(Exit::host_missing, "qemu-system-x86_64 was not found; run ./aios setup.");
}

std::vector<std::string> machine_arguments(const MachineSpec& spec) {
    // A comma in a file name is doubled inside an option list.
    const auto quoted = [](const std::filesystem::path& path) {
        std::string out;
        for (const char c : path.native())
            out += c == ',' ? std::string(",,") : std::string(1, c);
        return out;
    };
    const bool microvm = spec.machine.starts_with("microvm");
    std::vector<std::string> list = {
        "-M",
        spec.machine,
        "-accel",
        spec.kvm ? "kvm" : "tcg",
        "-cpu",
        spec.cpu,
        "-smp",
        std::to_string(spec.processors),
        "-m",
        std::to_string(spec.memory_mib),
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-chardev",
        std::format("file,id=text,path=/proc/self/fd/{}", kGuestText),
        "-serial",
        "chardev:text",
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=4",
        "-device",
        microvm ? "virtio-serial-device,max_ports=2" : "virtio-serial-pci,disable-legacy=on,max_ports=2",
        "-chardev",
        std::format("socket,id=frames,fd={}", kGuestFrames),
        "-device",
        "virtserialport,nr=1,chardev=frames", // a console port would lose what the host takes late
    };
    const auto add = [&](std::initializer_list<std::string> more) { list.insert(list.end(), more); };
    if (microvm) add({"-global", "virtio-mmio.force-legacy=off"}); // PCI is off there, and so is the interface of 1.0
    if (!spec.seed.empty()) add({"-fw_cfg", "name=opt/aios/seed,file=" + quoted(spec.seed)});
    if (spec.boot == BootKind::pvh) {
        add({"-kernel", spec.kernel.native(), "-append", spec.command_line});
        if (!spec.container.empty()) add({"-initrd", quoted(spec.container)});
    } else {
        add({"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"});
        add({"-drive", "if=pflash,unit=1,format=raw,file=" + quoted(spec.firmware_variables)});
        add({"-drive", "if=none,id=disk,format=raw,readonly=on,file=" + quoted(spec.disk)});
        add({"-device", "virtio-blk-pci,drive=disk,bootindex=0"});
    }
    if (spec.count_instructions) add({"-icount", std::format("shift={},sleep=off", spec.instruction_shift)});
    list.insert(list.end(), spec.more.begin(), spec.more.end());
    return list;
}

Outcome<MachineResult> run_machine(const MachineSpec& spec, const MachineEars& ears) {
    std::vector<std::string> arguments = machine_arguments(spec);
    arguments.insert(arguments.begin(), HOST_TRY(find_qemu()).native());
    Pair text = HOST_TRY(text_pipe());
    Pair frames = HOST_TRY(socket_pair());
    Pair message = HOST_TRY(socket_pair());
    const int error_end = message.theirs.number();
    const pid_t child =
        start_process(arguments, {-1, error_end, error_end, text.theirs.number(), frames.theirs.number()});
    if (child < 0)
        return failure(Exit::host_missing,
                       std::format("QEMU could not be started: {}.", lower_first(std::strerror(errno))));
    for (Pair* pair : {&text, &frames, &message})
        pair->theirs.reset();
    Machine machine(child, std::move(text.ours), std::move(frames.ours), std::move(message.ours));
    return machine.follow(ears, spec.limit);
}

} // namespace aios::host
