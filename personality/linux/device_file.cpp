// The devices. See device_file.hpp.
#include "personality/linux/device_file.hpp"

#include <cstring>

#include "kernel/dev/entropy.hpp"
#include "kernel/dev/resource.hpp"
#include "kernel/host/output.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/terminal_file.hpp"
#include "personality/linux/terminal_settings.hpp"
#include "personality/linux/transfer.hpp"

namespace aios::linux_abi {

namespace {

constexpr std::uint64_t device_number(std::uint64_t major, std::uint64_t minor) { return major << 8 | minor; }

template <typename T, typename... A>
Result<Ref<OpenFile>> create(Payer& payer, A... arguments) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<T>));
    return Ref<OpenFile>::adopt(TRY(mm::make<T>(std::move(charge), arguments...)));
}

// The console is a terminal, so that C libraries write it line by line, and a killed program takes no line with it. There is
// nothing to read, so neither echo nor editing.
constexpr TerminalSettings kConsoleSettings = {0, kOutputProcess | kOutputNewlineToBoth, kSpeed38400 | 060, 0, 0, {}};
constexpr WindowSize kConsoleWindow = {24, 80, 0, 0};

class ConsoleFile final : public OpenFile {
public:
    ConsoleFile(Reservation charge, Handle console) : OpenFile(std::move(charge)), console_(console) {}

    Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) override {
        const std::uint64_t wanted = std::min(bytes, kMaxTransfer);
        Buffer buffer;
        if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
        std::uint64_t done = 0;
        while (done < wanted && !call.thread.is_killed()) {
            const std::size_t part = std::min<std::size_t>(buffer.piece(wanted - done), kConsolePiece);
            if (!from.read_array(done, buffer.data(), part)) return partly(done, kFault);
            const Errno error = put(call, Bytes(buffer.data(), part));
            if (error == kInterrupted && done == 0) return interrupted_call(call, AfterHandler::restarts);
            if (error != Errno{}) return partly(done, error);
            done += part;
        }
        return done;
    }

    // As fast as the agent's rate allows.
    Errno put(Call& call, Bytes text) override {
        Agent& agent = call.process.agent();
        const auto device = call.process.table().lookup<DeviceResource>(console_, rights::write);
        if (!device || device->object->kind() != DeviceKind::console) return kAccess;
        while (const std::uint64_t delay = agent.console_delay(text.size())) {
            if (sched::sleep_until(time::deadline_after(delay)) == sched::Outcome::interrupted) return kInterrupted;
        }
        if (!device->node->is_held()) return kAccess; // it ended meanwhile
        upcall::send_frame(FrameKind::console, agent.id(), agent.name(), text);
        return Errno{};
    }

    Outcome read(Call&, UserOut<std::byte>, std::uint64_t) override { return 0; } // nobody types
    [[nodiscard]] bool is_seekable() const override { return false; }
    [[nodiscard]] event::Source* source() override { return &source_; }
    [[nodiscard]] Stat info() const override { return device_info(Device::console, 0620); }
    [[nodiscard]] std::string_view path() const override { return "dev/console"; }
    std::expected<Ref<OpenFile>, Errno> reopen(LinuxProcess& caller) override {
        return LINUX_TRY(open_console(caller.quota(), console_));
    }

    Outcome control(Call&, std::uint32_t request, std::uint64_t argument) override {
        if (request == kTerminalGet) return answer(UserOut<TerminalSettings>(argument), kConsoleSettings);
        if (request == kTerminalGetWindow) return answer(UserOut<WindowSize>(argument), kConsoleWindow);
        return refuse(kNotTerminal);
    }

private:
    const Handle console_;
    event::Source source_{kSignalWritable}; // at any time, if slowly
};

// Null, zero, full, and random bytes.
class MemoryDevice final : public OpenFile {
public:
    MemoryDevice(Reservation charge, Device what)
        : OpenFile(std::move(charge)), what_(what), is_random_(what == Device::random || what == Device::urandom) {}

    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        if (what_ == Device::null) return 0;
        const std::uint64_t wanted = std::min(bytes, kMaxTransfer);
        Buffer buffer;
        if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
        std::uint64_t done = 0;
        while (done < wanted && !call.thread.is_killed()) {
            const std::size_t part = buffer.piece(wanted - done);
            if (is_random_) {
                if (!dev::random_bytes(MutableBytes(buffer.data(), part))) return partly(done, kAgain);
            } else {
                std::memset(buffer.data(), 0, part);
            }
            if (!to.write_array(done, buffer.data(), part)) return partly(done, kFault);
            done += part;
        }
        std::memset(buffer.data(), 0, buffer.piece(wanted));
        return done;
    }

    Outcome write(Call&, UserIn<std::byte>, std::uint64_t bytes) override {
        if (what_ == Device::full && bytes != 0) return refuse(kNoSpace);
        return std::min(bytes, kMaxTransfer);
    }
    Errno put(Call&, Bytes) override { return what_ == Device::full ? kNoSpace : Errno{}; }
    // As on Linux epoll takes the random devices, and neither null nor zero.
    [[nodiscard]] event::Source* source() override { return is_random_ ? &source_ : nullptr; }
    [[nodiscard]] Stat info() const override { return device_info(what_, 0666); }
    // /dev/zero is how programs asked for memory before there was MAP_ANONYMOUS.
    std::expected<MapSource, Errno> map_source() override {
        if (what_ != Device::zero) return std::unexpected(kNoDevice);
        return MapSource{};
    }
    [[nodiscard]] std::string_view path() const override {
        switch (what_) {
        case Device::null:
            return "dev/null";
        case Device::zero:
            return "dev/zero";
        case Device::full:
            return "dev/full";
        case Device::random:
            return "dev/random";
        default:
            return "dev/urandom";
        }
    }
    std::expected<Ref<OpenFile>, Errno> reopen(LinuxProcess& caller) override {
        return LINUX_TRY(open_memory_device(caller.quota(), what_));
    }

private:
    const Device what_;
    const bool is_random_;
    event::Source source_{kSignalReadable | kSignalWritable};
};

} // namespace

Stat device_info(Device device, std::uint32_t permission, std::uint32_t number) {
    Stat out{};
    out.device = kNoTreeDevice;
    out.links = 1;
    out.block_bytes = static_cast<std::int64_t>(arch::kPageSize);
    out.mode = kModeChar | permission;
    out.inode = device_inode(device, number);
    out.rdev = device_id(device, number);
    return out;
}

std::uint64_t device_id(Device device, std::uint32_t number) {
    switch (device) {
    case Device::none:
        return 0;
    case Device::null:
        return device_number(1, 3);
    case Device::zero:
        return device_number(1, 5);
    case Device::full:
        return device_number(1, 7);
    case Device::random:
        return device_number(1, 8);
    case Device::urandom:
        return device_number(1, 9);
    case Device::tty:
        return device_number(5, 0);
    case Device::console:
        return device_number(5, 1);
    case Device::master:
        return device_number(5, 2);
    case Device::slave:
        return device_number(136, number);
    }
    AIOS_UNREACHABLE();
}

Result<Ref<OpenFile>> open_memory_device(Payer& payer, Device device) { return create<MemoryDevice>(payer, device); }

Result<Ref<OpenFile>> open_console(Payer& payer, Handle console) { return create<ConsoleFile>(payer, console); }

namespace {

std::expected<Ref<OpenFile>, Errno> open_agent_console(LinuxProcess& process) {
    const StartupBlock& startup = process.family().startup;
    for (std::uint32_t i = 0; i < startup.count; ++i) {
        if (startup.entries[i].role != static_cast<std::uint32_t>(StartupRole::console)) continue;
        const auto held = process.table().lookup<DeviceResource>(startup.entries[i].handle, rights::write);
        if (held) return LINUX_TRY(open_console(process.quota(), startup.entries[i].handle));
    }
    return std::unexpected(kNoDeviceAddress);
}

} // namespace

std::expected<Ref<OpenFile>, Errno> open_device(LinuxProcess& process, const GeneratedNode& node) {
    switch (node.row->device) {
    case Device::tty:
        return open_own_terminal(process);
    case Device::console:
        return open_agent_console(process);
    case Device::master:
        return open_terminal_master(process);
    case Device::slave:
        return open_terminal_slave(process, node.number);
    default:
        return LINUX_TRY(open_memory_device(process.quota(), node.row->device));
    }
}

} // namespace aios::linux_abi
