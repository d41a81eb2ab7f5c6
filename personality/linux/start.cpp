// Start of a Linux program: image, heap start, stack with arguments, environment and auxiliary vector (System V ABI
// AMD64 supplement section 3.4.1), and the first registers. Runs on the new program's own first thread.
#include <cstring>

#include "base/bits.hpp"
#include "kernel/dev/entropy.hpp"
#include "kernel/mm/size_classes.hpp"
#include "personality/linux/process.hpp"
#include "personality/linux/signals.hpp"
#include "personality/linux/start.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kStackBytes = 8ull << 20; // reserved; pages are charged as they are touched
constexpr std::uint64_t kStackGuard = 1ull << 20;
constexpr std::uint64_t kSlideMask = (1ull << 32) - 1; // 4 GiB of slide, in pages of 4 KiB: 20 bits of entropy
constexpr std::size_t kMaxStrings = 512;               // argv and envp together

// Writes the first stack downwards. Each put answers the address of what it wrote.
class StackWriter {
public:
    explicit StackWriter(std::uint64_t top) : pointer_(top) {}
    Result<std::uint64_t> put(const void* data, std::size_t bytes, std::size_t alignment) {
        pointer_ = align_down(pointer_ - bytes, alignment);
        TRY(UserOut<std::byte>(pointer_).write_array(0, static_cast<const std::byte*>(data), bytes));
        return pointer_;
    }
    [[nodiscard]] std::uint64_t pointer() const { return pointer_; }

private:
    std::uint64_t pointer_;
};

// Addresses of NUL-ended strings that were copied as one block to `address`.
Result<std::size_t> split(const char* block, std::size_t bytes, std::uint64_t address, std::uint64_t* out,
                          std::size_t room) {
    std::size_t count = 0;
    if (bytes != 0 && block[bytes - 1] != '\0') return fail(Error::bad_argument);
    for (std::size_t at = 0; at < bytes; at += std::strlen(block + at) + 1) {
        if (count == room) return fail(Error::too_large);
        out[count++] = address + at;
    }
    return count;
}

struct Words { // the pointer part of the stack; too large for a kernel stack
    std::uint64_t strings[kMaxStrings];
    std::uint64_t words[kMaxStrings + 64];
    std::size_t count = 0;
    void add(std::uint64_t word) { words[count++] = word; } // room: all strings, two ends, 32 pairs
    void aux(Aux type, std::uint64_t value) {
        add(static_cast<std::uint64_t>(type));
        add(value);
    }
    ~Words() = default;
};

Result<std::uint64_t> build_stack(std::uint64_t top, const ProgramStart& start, const ElfLoaded& image,
                                  std::string_view path, Words& w) {
    StackWriter stack(top);
    std::byte random[16];
    TRY(dev::random_bytes(random));
    const std::uint64_t random_at = TRY(stack.put(random, sizeof(random), 16));
    const char nul = '\0';
    TRY(stack.put(&nul, 1, 1));
    const std::uint64_t path_at = TRY(stack.put(path.data(), path.size(), 1));
    const std::uint64_t environment_at = TRY(stack.put(start.environment, start.environment_bytes, 1));
    const std::uint64_t arguments_at = TRY(stack.put(start.arguments, start.argument_bytes, 1));
    const std::uint64_t startup_at = TRY(stack.put(start.startup, sizeof(StartupBlock), 16));

    const std::size_t arguments =
        TRY(split(start.arguments, start.argument_bytes, arguments_at, w.strings, kMaxStrings));
    const std::size_t variables = TRY(split(start.environment, start.environment_bytes, environment_at,
                                            w.strings + arguments, kMaxStrings - arguments));
    w.count = 0;
    w.add(arguments);
    for (std::size_t i = 0; i < arguments; ++i) {
        w.add(w.strings[i]);
    }
    w.add(0);
    for (std::size_t i = 0; i < variables; ++i) {
        w.add(w.strings[arguments + i]);
    }
    w.add(0);
    if (image.headers != 0) {
        w.aux(Aux::headers, image.headers);
        w.aux(Aux::header_bytes, 56);
        w.aux(Aux::header_count, image.header_count);
    }
    w.aux(Aux::page_bytes, arch::kPageSize);
    w.aux(Aux::base, 0);
    w.aux(Aux::flags, 0);
    w.aux(Aux::entry, image.entry);
    w.aux(Aux::uid, 0);
    w.aux(Aux::euid, 0);
    w.aux(Aux::gid, 0);
    w.aux(Aux::egid, 0);
    w.aux(Aux::secure, 0);
    w.aux(Aux::clock_ticks, 100);
    w.aux(Aux::hwcap, 0);
    w.aux(Aux::hwcap2, 0);
    w.aux(Aux::random, random_at);
    w.aux(Aux::exec_name, path_at);
    w.aux(Aux::min_signal_stack, signal_stack_bytes());
    w.add(kAuxStartup);
    w.add(startup_at);
    w.aux(Aux::null, 0);
    // rsp must be a multiple of 16 where argc lies.
    return stack.put(w.words, w.count * sizeof(std::uint64_t), 16);
}

Result<ProgramEntry> start_process(LinuxProcess& linux_process, const ProgramStart& start) {
    mm::AddressSpace& memory = linux_process.memory();
    std::uint64_t random[3];
    TRY(dev::random_bytes(std::as_writable_bytes(std::span(random))));
    const ElfLoaded image = TRY(elf_load(memory, start.image, (random[0] & kSlideMask) * 256));
    {
        LinuxProcess::Lock::Guard guard(linux_process.lock); // nobody else is there yet
        linux_process.break_start = image.end + (random[1] & 0x1fff) * arch::kPageSize;
        linux_process.break_end = linux_process.break_mapped = linux_process.break_start;
    }

    mm::MapOptions options;
    options.address = arch::kUserHigh - kStackGuard - kStackBytes - (random[2] & 0x3f'ffff) * arch::kPageSize;
    options.fixed = true;
    options.no_replace = true;
    const std::uint64_t low = TRY(memory.map_anonymous(kStackBytes, arch::Protection::read | arch::Protection::write,
                                                       mm::ChargeWhen::at_touch, options));
    const auto words = TRY(mm::own<Words>());
    auto pointer = build_stack(low + kStackBytes, start, image, linux_process.executable.view(), *words);
    return ProgramEntry{&linux_process, arch::make_user_frame(image.entry, TRY(std::move(pointer)))};
}

} // namespace

Result<> LinuxProcess::open_standard(const StartupBlock& startup) {
    Handle handle = kNoHandle;
    for (std::uint32_t i = 0; i < startup.count; ++i) {
        if (startup.entries[i].role == static_cast<std::uint32_t>(StartupRole::console))
            handle = startup.entries[i].handle;
    }
    Ref<OpenFile> input = TRY(open_generated(quota(), Generated::null));
    input->readable = true;
    Ref<OpenFile> console = TRY(open_console(quota(), handle));
    console->writable = true; // without a console every write answers EACCES
    Lock::Guard guard(lock);
    for (const Ref<OpenFile>& file : {input, console, console}) {
        if (!files.add(quota(), file, OnExec::keep)) return fail(Error::quota_exceeded);
    }
    return {};
}

Result<mm::Owned<LinuxProcess>> LinuxProcess::create(Process& process, const ProgramStart& start) {
    Reservation charge = TRY(Reservation::make(process.agent().quota(), Resource::memory, mm::cost_of<LinuxProcess>));
    auto made = TRY(mm::own<LinuxProcess>(process, std::move(charge)));
    char path[kMaxPathBytes];
    const std::size_t bytes = std::strlen(start.path);
    if (bytes + 1 > sizeof(path)) return fail(Error::too_large);
    path[0] = '/';
    std::memcpy(path + 1, start.path, bytes);
    made->executable = TRY(HeldText::copy(made->quota(), {path, bytes + 1}));
    made->name_space.set_up(*start.startup);
    TRY(made->open_standard(*start.startup));
    return made;
}

Result<ProgramEntry> start_program(Process& process, const ProgramStart& start) {
    auto made = TRY(LinuxProcess::create(process, start));
    const ProgramEntry entry = TRY(start_process(*made, start));
    (void)made.release(); // the process's
    return entry;
}

void register_linux() { register_personality(PersonalityKind::linux_abi, start_program); }

} // namespace aios::linux_abi
