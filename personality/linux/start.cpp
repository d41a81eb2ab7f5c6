// Start of a Linux program: image, its interpreter, heap start, stack with arguments, environment and auxiliary vector
// (System V ABI AMD64 supplement section 3.4.1), and the first registers. Runs on the new program's own first thread.
#include "personality/linux/start.hpp"

#include <cstring>

#include "base/bits.hpp"
#include "kernel/dev/entropy.hpp"
#include "kernel/mm/size_classes.hpp"
#include "personality/linux/file_label.hpp"
#include "personality/linux/lookup.hpp"
#include "personality/linux/process.hpp"
#include "personality/linux/signals.hpp"
#include "personality/linux/vdso.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kStackBytes = 8ull << 20; // reserved; pages are charged as they are touched
constexpr std::uint64_t kStackGuard = 1ull << 20;
constexpr std::uint64_t kSlideMask = (1ull << 32) - 1; // 4 GiB of slide, in pages of 4 KiB: 20 bits of entropy

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

// Writes words upwards, some at a time.
class WordWriter {
public:
    explicit WordWriter(std::uint64_t at) : at_(at) {}
    Result<> put(std::uint64_t word) {
        words_[count_++] = word;
        return count_ == kRoom ? flush() : Result<>();
    }
    Result<> put(Aux type, std::uint64_t value) {
        TRY(put(static_cast<std::uint64_t>(type)));
        return put(value);
    }
    Result<> flush() {
        TRY(UserOut<std::uint64_t>(at_).write_array(0, words_, count_));
        at_ += count_ * sizeof(std::uint64_t);
        count_ = 0;
        return {};
    }

private:
    static constexpr std::size_t kRoom = 32;
    std::uint64_t at_;
    std::uint64_t words_[kRoom];
    std::size_t count_ = 0;
};

// NUL-ended strings one after another, and where they lie on the new stack.
struct Strings {
    const char* text;
    std::size_t bytes;
    std::uint64_t address = 0;
    [[nodiscard]] Result<std::size_t> count() const {
        if (bytes != 0 && text[bytes - 1] != '\0') return fail(Error::bad_argument);
        std::size_t found = 0;
        for (std::size_t at = 0; at < bytes; at += std::strlen(text + at) + 1)
            ++found;
        return found;
    }
    Result<> put_addresses(WordWriter& out) const {
        for (std::size_t at = 0; at < bytes; at += std::strlen(text + at) + 1)
            TRY(out.put(address + at));
        return out.put(0);
    }
};

struct LoadedProgram {
    ElfLoaded image;
    std::uint64_t interpreter_base = 0; // 0: none
    std::uint64_t entry = 0;            // of the interpreter, where there is one
    std::uint64_t vdso = 0;             // where it is mapped
    ~LoadedProgram() = default;
};

Result<std::uint64_t> build_stack(std::uint64_t top, const ProgramStart& start, const LoadedProgram& program,
                                  std::string_view path, ProgramPlace& place) {
    StackWriter stack(top);
    std::byte random[16];
    TRY(dev::random_bytes(random));
    const std::uint64_t random_at = TRY(stack.put(random, sizeof(random), 16));
    const char nul = '\0';
    TRY(stack.put(&nul, 1, 1));
    const std::uint64_t path_at = TRY(stack.put(path.data(), path.size(), 1));
    Strings environment{start.environment, start.environment_bytes};
    Strings arguments{start.arguments, start.argument_bytes};
    environment.address = TRY(stack.put(start.environment, start.environment_bytes, 1));
    arguments.address = TRY(stack.put(start.arguments, start.argument_bytes, 1));
    const std::uint64_t startup_at = TRY(stack.put(start.startup, sizeof(StartupBlock), 16));

    const ElfLoaded& image = program.image;
    struct Pair {
        Aux type;
        std::uint64_t value;
    };
    const Pair pairs[] = {
        {Aux::headers, image.headers},
        {Aux::header_bytes, 56},
        {Aux::header_count, image.headers == 0 ? 0 : image.header_count},
        {Aux::page_bytes, arch::kPageSize},
        {Aux::base, program.interpreter_base},
        {Aux::flags, 0},
        {Aux::entry, image.entry},
        {Aux::uid, 0},
        {Aux::euid, 0},
        {Aux::gid, 0},
        {Aux::egid, 0},
        {Aux::secure, 0},
        {Aux::clock_ticks, 100},
        {Aux::hwcap, 0},
        {Aux::hwcap2, 0},
        {Aux::random, random_at},
        {Aux::exec_name, path_at},
        {Aux::vdso, program.vdso},
        {Aux::min_signal_stack, signal_stack_bytes()},
        {Aux{kAuxStartup}, startup_at},
        {Aux::null, 0},
    };
    const std::size_t argument_count = TRY(arguments.count());
    const std::size_t words = 1 + argument_count + 1 + TRY(environment.count()) + 1 + 2 * std::size(pairs);
    // rsp must be a multiple of 16 where argc lies.
    const std::uint64_t pointer = align_down(stack.pointer() - words * sizeof(std::uint64_t), 16);
    WordWriter out(pointer);
    TRY(out.put(argument_count));
    TRY(arguments.put_addresses(out));
    TRY(environment.put_addresses(out));
    for (const Pair& pair : pairs)
        TRY(out.put(pair.type, pair.value));
    TRY(out.flush());
    place = {program.vdso,
             pointer,
             arguments.address,
             start.argument_bytes,
             environment.address,
             start.environment_bytes,
             pointer + words * sizeof(std::uint64_t) - 16 * std::size(pairs),
             16 * std::size(pairs)};
    return pointer;
}

Error error_of_path(Errno error) {
    switch (error) {
    case kAccess:
        return Error::missing_right;
    case kNoMemory:
        return Error::quota_exceeded;
    case kNameTooLong:
        return Error::too_large;
    default:
        return Error::not_found;
    }
}

// The interpreter (ld.so) lies in the agent's own tree, and is looked up with its rights.
Result<Ref<mm::Pages>> find_interpreter(LinuxProcess& process, std::string_view path) {
    arch::TrapFrame frame{};
    Call call{process, Thread::current(), frame, kExecveNumber};
    auto found = find_program(call, path);
    if (!found) return fail(error_of_path(found.error()));
    return std::move(found->image);
}

Result<> start_in(LinuxProcess& process, std::string_view directory) {
    arch::TrapFrame frame{};
    Call call{process, Thread::current(), frame, kExecveNumber};
    const auto lookup = Lookup::resolve_text(call, directory, Follow::yes);
    if (!lookup) return fail(error_of_path(lookup.error()));
    const Outcome entered = enter_directory(call, *lookup);
    return entered ? Result<>() : fail(error_of_path(entered.error()));
}

Result<> load_images(LinuxProcess& process, const ProgramStart& start, std::uint64_t random, LoadedProgram& program) {
    ElfPlace place;
    place.slide = (random & kSlideMask) * 256;
    place.label = TRY(FileLabel::create(process.quota(), process.executable.view().substr(1), 0, 0));
    program.image = TRY(elf_load(process.memory(), start.image, place));
    program.entry = program.image.entry;
    if (program.image.interpreter[0] == '\0') return {};
    const Ref<mm::Pages> interpreter = TRY(find_interpreter(process, program.image.interpreter));
    place.is_program = false;
    place.label = TRY(FileLabel::create(process.quota(), std::string_view(program.image.interpreter).substr(1), 0, 0));
    const ElfLoaded loaded = TRY(elf_load(process.memory(), interpreter, place));
    if (loaded.interpreter[0] != '\0') return fail(Error::bad_format);
    program.interpreter_base = loaded.base;
    program.entry = loaded.entry;
    return {};
}

} // namespace

Result<ProgramEntry> load_program(LinuxProcess& linux_process, const ProgramStart& start) {
    mm::AddressSpace& memory = linux_process.memory();
    std::uint64_t random[3];
    TRY(dev::random_bytes(std::as_writable_bytes(std::span(random))));
    // The stack first, so that whatever goes where there is room goes below it.
    mm::MapOptions options;
    options.address = arch::kUserHigh - kStackGuard - kStackBytes - (random[2] & 0x3f'ffff) * arch::kPageSize;
    options.fixed = true;
    options.no_replace = true;
    const std::uint64_t low = TRY(memory.map_anonymous(kStackBytes, arch::Protection::read | arch::Protection::write,
                                                       mm::ChargeWhen::at_touch, options));
    const auto program = TRY(mm::own<LoadedProgram>());
    TRY(load_images(linux_process, start, random[0], *program));
    if (program->image.executable_stack)
        TRY(memory.protect(low, kStackBytes,
                           arch::Protection::read | arch::Protection::write | arch::Protection::execute));
    program->vdso = TRY(map_vdso(memory, linux_process.quota()));
    {
        LinuxProcess::Lock::Guard guard(linux_process.lock); // nobody else is there yet
        linux_process.break_start = program->image.end + (random[1] & 0x1fff) * arch::kPageSize;
        linux_process.break_end = linux_process.break_mapped = linux_process.break_start;
    }
    auto pointer =
        build_stack(low + kStackBytes, start, *program, linux_process.executable.view(), linux_process.place);
    return ProgramEntry{&linux_process, arch::make_user_frame(program->entry, TRY(std::move(pointer)))};
}

Result<ProgramEntry> start_program(Process& process, const ProgramStart& start) {
    auto made = TRY(LinuxProcess::create_first(process, start));
    if (start.directory[0] != '\0') TRY(start_in(*made, start.directory));
    const ProgramEntry entry = TRY(load_program(*made, start));
    (void)made.release(); // the process's
    return entry;
}

void register_linux() {
    init_vdso();
    register_personality(PersonalityKind::linux_abi, start_program);
}

} // namespace aios::linux_abi
