// See terminal_file.hpp.
#include "personality/linux/terminal_file.hpp"

#include "kernel/mm/size_classes.hpp"
#include "personality/linux/device_file.hpp"
#include "personality/linux/terminal_jobs.hpp"
#include "personality/linux/text.hpp"
#include "personality/linux/transfer.hpp"

namespace aios::linux_abi {
namespace {

Outcome outcome_of(Call& call, std::uint64_t done, Errno error) {
    if (done != 0) return done;
    return error == kInterrupted ? interrupted_call(call, AfterHandler::restarts) : refuse(error);
}

class TerminalSide : public OpenFile {
public:
    [[nodiscard]] bool is_seekable() const override { return false; }

protected:
    using When = Terminal::WhenBlocked;
    TerminalSide(Reservation charge, Ref<Terminal> terminal)
        : OpenFile(std::move(charge)), terminal_(std::move(terminal)) {}
    [[nodiscard]] Terminal& terminal() const { return *terminal_; }
    [[nodiscard]] const Ref<Terminal>& reference() const { return terminal_; }
    [[nodiscard]] When when() const { return non_blocking ? When::fail : When::wait; }

    // One piece, of at most a ring: `take(buffer)` puts it there.
    template <typename F>
    Outcome read_piece(Call& call, UserOut<std::byte> to, std::uint64_t bytes, F&& take) {
        const std::uint64_t wanted = std::min<std::uint64_t>(bytes, LineDiscipline::kBytes);
        if (wanted == 0) return 0;
        Buffer buffer;
        if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
        const auto done = take(MutableBytes(buffer.data(), wanted));
        if (!done) return outcome_of(call, 0, done.error());
        if (!to.write_array(0, buffer.data(), *done)) return refuse(kFault); // it is lost, as on Linux
        return *done;
    }
    // Piece after piece, until one is short.
    template <typename F>
    Outcome write_pieces(Call& call, UserIn<std::byte> from, std::uint64_t bytes, F&& put) {
        const std::uint64_t wanted = std::min(bytes, kMaxTransfer);
        Buffer buffer;
        if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
        std::uint64_t done = 0;
        while (done < wanted && !call.thread.is_killed()) {
            const std::size_t part = buffer.piece(wanted - done);
            if (!from.read_array(done, buffer.data(), part)) return partly(done, kFault);
            const auto put_now = put(Bytes(buffer.data(), part));
            if (!put_now) return outcome_of(call, done, put_now.error());
            done += *put_now;
            if (*put_now < part) break;
        }
        return done;
    }

private:
    const Ref<Terminal> terminal_;
};

class TerminalMaster final : public TerminalSide {
public:
    TerminalMaster(Reservation charge, Ref<Terminal> terminal) : TerminalSide(std::move(charge), std::move(terminal)) {}
    ~TerminalMaster() override { terminal().close_master(); }
    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        return read_piece(call, to, bytes, [&](MutableBytes room) { return terminal().take(room, when()); });
    }
    Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) override {
        return write_pieces(call, from, bytes, [&](Bytes piece) { return terminal().type(piece, when()); });
    }
    Errno put(Call&, Bytes bytes) override {
        const auto done = terminal().type(bytes, when());
        return done ? Errno{} : done.error();
    }
    Outcome control(Call& call, std::uint32_t request, std::uint64_t argument) override {
        return control_master(call, reference(), request, argument);
    }
    [[nodiscard]] event::Source* source() override { return &terminal().master_source(); }
    [[nodiscard]] Stat info() const override { return device_info(Device::master, 0666); }
    [[nodiscard]] std::string_view path() const override { return "dev/ptmx"; }
    std::expected<Ref<OpenFile>, Errno> reopen(LinuxProcess& caller) override { return open_terminal_master(caller); }
};

enum class ByName : bool { number, own };

class TerminalSlave final : public TerminalSide {
public:
    // The slave was opened: this closes it.
    TerminalSlave(Reservation charge, Ref<Terminal> terminal, ByName name)
        : TerminalSide(std::move(charge), std::move(terminal)), is_own_name_(name == ByName::own),
          name_(is_own_name_ ? "dev/tty" : format_to(room_, "dev/pts/{}", this->terminal().number())) {}
    ~TerminalSlave() override { terminal().close_slave(); }

    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        if (const Errno error = check_foreground(call, terminal(), kSigTerminalIn); error != Errno{})
            return refuse(error);
        return read_piece(call, to, bytes, [&](MutableBytes room) { return terminal().read(room, when()); });
    }
    Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) override {
        if (const Errno error = check_write(call); error != Errno{}) return refuse(error);
        return write_pieces(call, from, bytes, [&](Bytes piece) { return terminal().write(piece, when()); });
    }
    Errno put(Call& call, Bytes bytes) override {
        if (const Errno error = check_write(call); error != Errno{}) return error;
        const auto done = terminal().write(bytes, when());
        return done ? Errno{} : done.error();
    }
    // A line at a time, as read: what it leaves of the ranges is not waited for.
    Outcome read_vectors(Call& call, const Vectors& to) override {
        for (const IoVector& range : to.ranges()) {
            if (range.bytes != 0) return read(call, UserOut<std::byte>(range.base), range.bytes);
        }
        return 0;
    }
    Outcome control(Call& call, std::uint32_t request, std::uint64_t argument) override {
        return control_slave(call, terminal(), request, argument);
    }
    void opened(Call& call, std::uint64_t flags) override {
        if ((flags & kOpenNoTerminal) == 0 && readable) take_at_open(call.process, terminal());
    }
    [[nodiscard]] event::Source* source() override { return &terminal().slave_source(); }
    [[nodiscard]] Stat info() const override {
        return is_own_name_ ? device_info(Device::tty, 0666) : device_info(Device::slave, 0620, terminal().number());
    }
    [[nodiscard]] std::string_view path() const override { return name_; }
    std::expected<Ref<OpenFile>, Errno> reopen(LinuxProcess& caller) override {
        return is_own_name_ ? open_own_terminal(caller) : open_slave_of(caller.quota(), reference());
    }

private:
    Errno check_write(Call& call) {
        if ((terminal().settings().local & kLocalOutputStops) == 0) return Errno{};
        return check_foreground(call, terminal(), kSigTerminalOut);
    }
    const bool is_own_name_;
    char room_[24];
    const std::string_view name_;
};

std::expected<Ref<OpenFile>, Errno> make_slave(Payer& payer, const Ref<Terminal>& terminal, ByName name) {
    if (const Errno error = terminal->open_slave(); error != Errno{}) return std::unexpected(error);
    const auto made = [&]() -> Result<TerminalSlave*> {
        Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<TerminalSlave>));
        return mm::make<TerminalSlave>(std::move(charge), terminal, name);
    }();
    if (made) return Ref<OpenFile>::adopt(*made);
    terminal->close_slave();
    return std::unexpected(errno_of(made.error()));
}

} // namespace

std::expected<Ref<OpenFile>, Errno> open_terminal_master(LinuxProcess& process) {
    Ref<Terminal> terminal = LINUX_TRY(Terminal::create(process));
    const auto made = [&]() -> Result<TerminalMaster*> {
        Reservation charge = TRY(Reservation::make(process.quota(), Resource::memory, mm::cost_of<TerminalMaster>));
        return mm::make<TerminalMaster>(std::move(charge), terminal);
    }();
    if (made) return Ref<OpenFile>::adopt(*made);
    terminal->close_master();
    return std::unexpected(errno_of(made.error()));
}

std::expected<Ref<OpenFile>, Errno> open_slave_of(Payer& payer, const Ref<Terminal>& terminal) {
    return make_slave(payer, terminal, ByName::number);
}

std::expected<Ref<OpenFile>, Errno> open_terminal_slave(LinuxProcess& process, std::uint32_t number) {
    Ref<Terminal> terminal;
    {
        ProcessTable& family = process.family();
        ProcessTable::Lock::Guard guard(family.lock);
        TerminalName* const name = family.terminals.find(number);
        if (name == nullptr) return std::unexpected(kNoEntry);
        terminal = Ref<Terminal>::share(name->terminal); // its master's reference goes after its name
    }
    return open_slave_of(process.quota(), terminal);
}

std::expected<Ref<OpenFile>, Errno> open_own_terminal(LinuxProcess& process) {
    const Ref<Terminal> terminal = terminal_of(process);
    if (!terminal) return std::unexpected(kNoDeviceAddress);
    return make_slave(process.quota(), terminal, ByName::own);
}

std::optional<std::uint32_t> terminal_numbers(const Asked& directory, std::uint32_t from) {
    ProcessTable& family = directory.caller.family();
    ProcessTable::Lock::Guard guard(family.lock);
    const TerminalName* const name = family.terminals.find_from(from);
    return name == nullptr ? std::nullopt : std::optional(name->number);
}

} // namespace aios::linux_abi
