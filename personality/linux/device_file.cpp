// The console and the generated files. See device_file.hpp.
#include "personality/linux/device_file.hpp"

#include <cstring>

#include "kernel/dev/entropy.hpp"
#include "kernel/dev/resource.hpp"
#include "kernel/host/output.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/transfer.hpp"

namespace aios::linux_abi {

namespace {

constexpr std::uint64_t device_number(std::uint64_t major, std::uint64_t minor) { return major << 8 | minor; }

Stat device_info(std::uint32_t mode, std::uint64_t inode, std::uint64_t number) {
    Stat out{};
    out.device = kNoTreeDevice;
    out.links = 1;
    out.block_bytes = static_cast<std::int64_t>(arch::kPageSize);
    out.mode = mode;
    out.inode = inode;
    out.rdev = number;
    return out;
}

template <typename T, typename... A>
Result<Ref<OpenFile>> create(Payer& payer, A... arguments) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<T>));
    return Ref<OpenFile>::adopt(TRY(mm::make<T>(std::move(charge), arguments...)));
}

// The console is a terminal, so that C libraries write it line by line, and a killed program takes no line with it.
struct Terminal { // struct termios of the kernel's ABI
    std::uint32_t input, output, control, local;
    std::uint8_t line, characters[19];
};
struct WindowSize {
    std::uint16_t rows, columns, width, height;
};
constexpr Terminal kTerminal = {
    0,         // nothing to read
    1 | 4,     // OPOST ONLCR
    0xf | 060, // B38400 CS8
    0,         // no echo, no editing
    0,         {},
};
constexpr WindowSize kWindow = {24, 80, 0, 0};
constexpr std::uint32_t kGetTerminal = 0x5401, kGetWindow = 0x5413; // TCGETS, TIOCGWINSZ

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

    [[nodiscard]] bool is_seekable() const override { return false; }
    [[nodiscard]] event::Source* source() override { return &source_; }
    [[nodiscard]] Stat info() const override { return device_info(kModeChar | 0620, 2, device_number(5, 1)); }

    Outcome control(Call&, std::uint32_t request, std::uint64_t argument) override {
        if (request == kGetTerminal) return answer(UserOut<Terminal>(argument), kTerminal);
        if (request == kGetWindow) return answer(UserOut<WindowSize>(argument), kWindow);
        return refuse(kNotTerminal);
    }

private:
    const Handle console_;
    event::Source source_{kSignalWritable}; // at any time, if slowly
};

class GeneratedFile final : public OpenFile {
public:
    GeneratedFile(Reservation charge, Generated what) : OpenFile(std::move(charge)), what_(what) {}

    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        if (what_ == Generated::null) return 0;
        if (is_link()) return refuse(kBadFd);
        const std::uint64_t wanted = std::min(bytes, kMaxTransfer);
        Buffer buffer;
        if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
        std::uint64_t done = 0;
        while (done < wanted && !call.thread.is_killed()) {
            const std::size_t part = buffer.piece(wanted - done);
            if (what_ == Generated::random) {
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

    Outcome write(Call&, UserIn<std::byte>, std::uint64_t bytes) override { return std::min(bytes, kMaxTransfer); }
    Errno put(Call&, Bytes) override { return Errno{}; }
    [[nodiscard]] bool is_link() const override { return what_ == Generated::self_link; }
    // As on Linux epoll takes the random devices, and neither null nor zero.
    [[nodiscard]] event::Source* source() override { return what_ == Generated::random ? &source_ : nullptr; }

    [[nodiscard]] Stat info() const override {
        if (is_link()) return device_info(kModeLink | 0777, 3, 0);
        return device_info(kModeChar | 0666, 4 + static_cast<std::uint64_t>(what_), device_number(1, minor()));
    }

private:
    [[nodiscard]] std::uint64_t minor() const {
        if (what_ == Generated::null) return 3;
        return what_ == Generated::zero ? 5 : 9;
    }
    const Generated what_;
    event::Source source_{kSignalReadable | kSignalWritable};
};

} // namespace

Result<Ref<OpenFile>> open_generated(Payer& payer, Generated what) { return create<GeneratedFile>(payer, what); }

Result<Ref<OpenFile>> open_console(Payer& payer, Handle console) { return create<ConsoleFile>(payer, console); }

} // namespace aios::linux_abi
