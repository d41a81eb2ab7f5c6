// The native personality and the registry of personalities. A native program is a static ELF that makes native calls
// only: calls below 4096 are unsupported, faults end the agent. Its first stack holds the startup block, whose address
// it gets in rdi.
#include <cstring>

#include "kernel/agent/agent.hpp"
#include "kernel/agent/elf.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/mm/user_memory.hpp"

namespace aios {

namespace {

constexpr unsigned kPersonalities = 2;
constinit PersonalityFactory g_factories[kPersonalities] = {};

constexpr std::uint64_t kStackBytes = 256 * 1024; // charged as it is touched
constexpr std::uint64_t kSlideMask = (1ull << 36) - 1;

class NativePersonality final : public Personality {
public:
    explicit NativePersonality(Reservation charge) : charge_(std::move(charge)) {}
    void call(Thread&, arch::TrapFrame& frame) override {
        arch::set_call_result(frame, -static_cast<std::int64_t>(Error::unsupported));
    }
    bool exception(Thread&, arch::TrapFrame&, std::uint64_t) override { return false; }
    void interrupted(Thread& thread, arch::TrapFrame&) override { thread.clear_interrupt(); }
    [[nodiscard]] Restart restart_of(std::uint64_t) const override { return Restart::outcome; }
    Result<> thread_created(Thread&) override { return {}; }
    void thread_exited(Thread&) override {}
    void ended(EndReason, std::uint64_t) override {}
    bool page_is_lost(Thread&, EndReason, std::uint64_t) override { return false; }

private:
    Reservation charge_;
};

std::size_t count_strings(const char* text, std::size_t bytes) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        count += text[i] == '\0';
    return count;
}

// From the top down: argument strings, random bytes, the block. Answers the block's address.
Result<std::uint64_t> build_stack(mm::AddressSpace& memory, const ProgramStart& start) {
    using arch::Protection;
    const std::uint64_t base = TRY(memory.map_anonymous(
        kStackBytes + arch::kPageSize, Protection::read | Protection::write, mm::ChargeWhen::at_touch));
    TRY(memory.protect(base, arch::kPageSize, Protection::none)); // an overflow meets this page, not a neighbour
    StartupBlock block = *start.startup;
    std::uint64_t top = base + arch::kPageSize + kStackBytes - start.argument_bytes;
    TRY(UserOut<char>(top).write_array(0, start.arguments, start.argument_bytes));
    block.arguments = top;
    block.argument_count = count_strings(start.arguments, start.argument_bytes);
    const std::uint64_t random[2] = {mm::upcall::random_word(), mm::upcall::random_word()};
    top = (top - sizeof(random)) & ~15ull;
    TRY(UserOut<std::uint64_t>(top).write_array(0, random, std::size(random)));
    block.random = top;
    top = (top - sizeof(block)) & ~15ull;
    TRY(UserOut<StartupBlock>(top).write(block));
    return top;
}

Result<ProgramEntry> start_native(Process& process, const ProgramStart& start) {
    ElfPlace place;
    place.slide = mm::upcall::random_word() & kSlideMask & ~(arch::kPageSize - 1);
    const ElfLoaded image = TRY(elf_load(process.memory(), start.image, place));
    if (image.interpreter[0] != '\0') return fail(Error::unsupported); // a Linux program
    const std::uint64_t block = TRY(build_stack(process.memory(), start));
    Reservation charge =
        TRY(Reservation::make(process.agent().quota(), Resource::memory, mm::cost_of<NativePersonality>));
    NativePersonality* personality = TRY(mm::make<NativePersonality>(std::move(charge)));
    ProgramEntry entry{personality, arch::make_user_frame(image.entry, block)};
    entry.frame.rdi = block;
    return entry;
}

} // namespace

void register_personality(PersonalityKind kind, PersonalityFactory factory) {
    AIOS_ASSERT(static_cast<unsigned>(kind) < kPersonalities);
    g_factories[static_cast<unsigned>(kind)] = factory;
}

PersonalityFactory personality_factory(PersonalityKind kind) {
    return static_cast<unsigned>(kind) < kPersonalities ? g_factories[static_cast<unsigned>(kind)] : nullptr;
}

void register_native_personality() { register_personality(PersonalityKind::native, start_native); }

} // namespace aios
