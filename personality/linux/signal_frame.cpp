// The signal frame: what a handler finds on its stack and rt_sigreturn takes off again. Layout: System V ABI AMD64 and
// the Linux user-space header asm/sigcontext.h: return address (the restorer), ucontext, siginfo, and above them the
// extended state in the processor's own format with Linux's marks in its software-reserved bytes. All that comes back
// from the user is foreign: registers are made safe by arch on the way out, the extended state by
// arch::clean_extended_state.
#include <cstring>

#include "base/bits.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

struct Registers { // struct sigcontext_64
    std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
    std::uint16_t cs, gs, fs, ss;
    std::uint64_t error, vector, old_mask, address, extended_state, reserved[8];
};
static_assert(sizeof(Registers) == 256);

struct Context { // struct ucontext
    std::uint64_t flags, link;
    SignalStack stack;
    Registers registers;
    std::uint64_t mask;
};
constexpr std::uint64_t kContextExtended = 1, kContextStackSegment = 2, kContextStrictSegment = 4;

struct Frame {
    std::uint64_t restorer;
    Context context;
    SignalInfoRecord info;
};
static_assert(sizeof(Frame) == 440);

struct ExtendedMarks { // in the software-reserved bytes (464..511) of the legacy area
    std::uint32_t magic, total_bytes;
    std::uint64_t components;
    std::uint32_t bytes, reserved[7];
};
static_assert(sizeof(ExtendedMarks) == 48);
constexpr std::size_t kMarksOffset = 464, kLegacyBytes = 512, kHeaderEnd = 576;
constexpr std::uint32_t kMagicBegin = 0x4650'5853, kMagicEnd = 0x4650'5845;
constexpr std::uint64_t kRedZone = 128;

bool is_on(const SignalStack& stack, std::uint64_t pointer) {
    return (stack.flags & kStackDisable) == 0 && pointer > stack.pointer && pointer - stack.pointer <= stack.bytes;
}

// The thread's registers go through its own save area: while it runs they hold the truth, and a switch in between
// saves the same again.
bool push_extended_state(Thread& thread, std::uint64_t& pointer, std::uint64_t& at) {
    const std::size_t bytes = arch::extended_state_bytes();
    at = align_down(pointer - bytes - sizeof(kMagicEnd), 64);
    pointer = at;
    const auto* area = static_cast<const std::byte*>(thread.extended_state);
    {
        arch::InterruptGuard guard;
        arch::save_extended_state(thread.extended_state);
    }
    ExtendedMarks marks{};
    marks.magic = kMagicBegin;
    marks.total_bytes = static_cast<std::uint32_t>(bytes + sizeof(kMagicEnd));
    marks.components = arch::extended_state_components();
    marks.bytes = static_cast<std::uint32_t>(bytes);
    if (bytes <= kLegacyBytes) marks = {}; // no XSAVE on this processor: the legacy area alone
    const UserOut<std::byte> to(at);
    return to.write_array(0, area, kMarksOffset) && UserOut<ExtendedMarks>(at + kMarksOffset).write(marks) &&
           to.write_array(kLegacyBytes, area + kLegacyBytes, bytes - kLegacyBytes) &&
           UserOut<std::uint32_t>(at + bytes).write(kMagicEnd);
}

// Reads what the user left at `at`; a state without marks counts for its legacy area alone. `area` is
// extended_state_bytes() big.
bool fetch_extended_state(std::uint64_t at, std::byte* area) {
    const std::size_t bytes = arch::extended_state_bytes();
    std::memset(area, 0, bytes);
    const UserIn<std::byte> from(at);
    if (!from.read_array(0, area, kLegacyBytes)) return false;
    ExtendedMarks marks;
    std::memcpy(&marks, area + kMarksOffset, sizeof(marks));
    const bool marked =
        bytes > kLegacyBytes && marks.magic == kMagicBegin && marks.bytes >= kHeaderEnd && marks.bytes <= bytes;
    const auto end = marked ? UserIn<std::uint32_t>(at + marks.bytes).read() : fail(Error::not_found);
    if (end && *end == kMagicEnd) {
        if (!from.read_array(kLegacyBytes, area + kLegacyBytes, marks.bytes - kLegacyBytes)) return false;
        std::uint64_t present;
        std::memcpy(&present, area + kLegacyBytes, sizeof(present));
        present &= marks.components;
        std::memcpy(area + kLegacyBytes, &present, sizeof(present));
    } else if (bytes > kLegacyBytes) {
        const std::uint64_t legacy = 3; // x87 and SSE
        std::memcpy(area + kLegacyBytes, &legacy, sizeof(legacy));
    }
    arch::clean_extended_state(area);
    return true;
}

bool restore_extended_state(Thread& thread, std::uint64_t at) {
    const std::size_t bytes = arch::extended_state_bytes();
    auto* area = static_cast<std::byte*>(mm::heap_allocate(bytes, 64));
    if (area == nullptr) return false;
    bool good = true;
    if (at == 0) {
        arch::init_extended_state(area);
    } else {
        good = fetch_extended_state(at, area);
    }
    if (good) {
        arch::InterruptGuard guard; // a switch between the two would save the old registers over it
        std::memcpy(thread.extended_state, area, bytes);
        arch::restore_extended_state(thread.extended_state);
    }
    mm::heap_free(area);
    return good;
}

} // namespace

std::uint64_t signal_stack_bytes() { return align_up(arch::extended_state_bytes() + sizeof(Frame) + 128, 64); }

SignalInfoRecord record_of(const SignalInfo& info) {
    SignalInfoRecord record{};
    record.signal = info.signal;
    record.code = info.code;
    record.first = info.is_fault ? info.address
                                 : static_cast<std::uint32_t>(info.sender) |
                                       std::uint64_t{static_cast<std::uint32_t>(info.overrun)} << 32;
    record.rest[0] = info.value;
    return record;
}

bool push_signal_frame(LinuxThread& data, arch::TrapFrame& regs, const SignalAction& action, const SignalInfo& info,
                       std::uint64_t saved_mask) {
    if ((action.flags & kActionRestorer) == 0) return false; // without it there is no way back
    std::uint64_t pointer = regs.rsp - kRedZone;
    const bool already_there = is_on(data.alternate, regs.rsp);
    if ((action.flags & kActionOnStack) != 0 && (data.alternate.flags & kStackDisable) == 0 && !already_there)
        pointer = data.alternate.pointer + data.alternate.bytes;
    if (pointer > arch::kUserHigh || pointer < arch::kUserLow) return false;
    const bool on_alternate = already_there || pointer != regs.rsp - kRedZone;
    if (on_alternate && pointer - data.alternate.pointer < signal_stack_bytes()) return false; // it is used up

    Frame frame{};
    frame.restorer = action.restorer;
    frame.context.flags = kContextStackSegment | kContextStrictSegment;
    if (arch::extended_state_bytes() > kLegacyBytes) frame.context.flags |= kContextExtended;
    frame.context.stack = data.alternate;
    if (already_there) frame.context.stack.flags |= kStackInUse;
    frame.context.mask = saved_mask;
    Registers& r = frame.context.registers;
    r.r8 = regs.r8;
    r.r9 = regs.r9;
    r.r10 = regs.r10;
    r.r11 = regs.r11;
    r.r12 = regs.r12;
    r.r13 = regs.r13;
    r.r14 = regs.r14;
    r.r15 = regs.r15;
    r.di = regs.rdi;
    r.si = regs.rsi;
    r.bp = regs.rbp;
    r.bx = regs.rbx;
    r.dx = regs.rdx;
    r.ax = regs.rax;
    r.cx = regs.rcx;
    r.sp = regs.rsp;
    r.ip = regs.rip;
    r.flags = regs.rflags;
    r.cs = static_cast<std::uint16_t>(regs.cs);
    r.ss = static_cast<std::uint16_t>(regs.ss);
    r.old_mask = saved_mask;
    if (info.is_fault) {
        r.error = info.error;
        r.vector = info.vector;
        r.address = info.address;
    }
    frame.info = record_of(info);

    if (!push_extended_state(data.thread, pointer, r.extended_state)) return false;
    // At a function's entry the return address lies below a 16-byte boundary.
    pointer = align_down(pointer - sizeof(Frame), 16) - 8;
    if (!UserOut<Frame>(pointer).write(frame)) return false;

    regs.rip = action.handler;
    regs.rsp = pointer;
    regs.rdi = static_cast<std::uint64_t>(info.signal);
    regs.rsi = pointer + offsetof(Frame, info);
    regs.rdx = pointer + offsetof(Frame, context);
    regs.rax = 0;
    constexpr std::uint64_t kDirection = 0x400, kResume = 0x10000, kTrap = 0x100;
    regs.rflags &= ~(kDirection | kResume | kTrap);
    if ((data.alternate.flags & kStackAutoDisarm) != 0) data.alternate = {0, kStackDisable, 0, 0};
    return true;
}

bool pop_signal_frame(LinuxThread& data, arch::TrapFrame& regs) {
    const std::uint64_t at = regs.rsp - sizeof(std::uint64_t); // the handler's return took the restorer off
    const auto fetched = UserIn<Context>(at + offsetof(Frame, context)).read();
    if (!fetched) return false;
    const Context& context = *fetched;
    const Registers& r = context.registers;
    if (!restore_extended_state(data.thread, r.extended_state)) return false;
    data.blocked = context.mask & ~kUnblockable;
    regs.r8 = r.r8;
    regs.r9 = r.r9;
    regs.r10 = r.r10;
    regs.r11 = r.r11;
    regs.r12 = r.r12;
    regs.r13 = r.r13;
    regs.r14 = r.r14;
    regs.r15 = r.r15;
    regs.rdi = r.di;
    regs.rsi = r.si;
    regs.rbp = r.bp;
    regs.rbx = r.bx;
    regs.rdx = r.dx;
    regs.rax = r.ax;
    regs.rcx = r.cx;
    regs.rsp = r.sp;
    regs.rip = r.ip;
    regs.rflags = r.flags;
    const SignalStack& stack = context.stack;
    if (!is_on(data.alternate, regs.rsp) && (stack.flags & kStackDisable) == 0 && stack.bytes >= kMinSignalStack) {
        data.alternate = stack;
        data.alternate.flags &= kStackAutoDisarm;
    }
    return true;
}

} // namespace aios::linux_abi
