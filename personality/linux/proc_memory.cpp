// What /proc tells of a process's memory: its mappings, and what it was given on its first stack. Areas are asked for one
// by one, each under one hold of the space's lock; strings are read from the program's memory, as it may have changed them.
#include "personality/linux/file_label.hpp"
#include "personality/linux/process_view.hpp"
#include "personality/linux/text.hpp"

namespace aios::linux_abi {

namespace {

std::expected<ProcessView, Errno> view_of(const Asked& asked) {
    return view_process(asked.caller.family(), asked.node.pid, asked.node.born);
}

struct Breaks {
    std::uint64_t start, end;
};
Breaks breaks_of(LinuxProcess& process) {
    LinuxProcess::Lock::Guard guard(process.lock);
    return {process.break_start, process.break_mapped};
}

void print_area(Text& out, const mm::AddressSpace::AreaInfo& area, const Breaks& breaks, const ProgramPlace& place) {
    // Every label in a Linux program's memory was put there by its mmap or its loader.
    const auto* label = static_cast<const FileLabel*>(area.label.get());
    const auto may = [&](arch::Protection right, char letter) {
        return arch::has(area.protection, right) ? letter : '-';
    };
    const std::size_t before = out.view().size();
    out.print("{:08x}-{:08x} {}{}{}{} {:08x} 00:{:02x} {}", area.start, area.end, may(arch::Protection::read, 'r'),
              may(arch::Protection::write, 'w'), may(arch::Protection::execute, 'x'),
              area.sharing == mm::Sharing::shared ? 's' : 'p', area.is_anonymous ? 0 : area.offset,
              label == nullptr ? 0 : label->device, label == nullptr ? 0 : label->inode);
    std::string_view name;
    if (label != nullptr) {
        name = label->path();
    } else if (breaks.start < breaks.end && area.start < breaks.end && area.end > breaks.start) {
        name = "[heap]";
    } else if (area.start <= place.stack && place.stack < area.end) {
        name = "[stack]";
    } else if (area.start == place.vdso) {
        name = "[vdso]";
    }
    if (!name.empty()) { // in column 74, as programs that print it expect
        constexpr std::size_t kColumn = 73;
        constexpr std::string_view kSpaces =
            "                                                                         ";
        const std::size_t used = out.view().size() - before;
        out.write(kSpaces.substr(0, used < kColumn ? kColumn - used : 1));
        if (label != nullptr) out.write("/");
        out.write(name);
    }
    out.write("\n");
}

// What lies at the program's own addresses. What cannot be read any more is left out.
Errno copy_memory(const Asked& asked, std::uint64_t address, std::uint64_t bytes, Text& out, const ProcessView& view) {
    while (bytes != 0 && !Thread::current().is_killed()) {
        const std::uint64_t part = std::min<std::uint64_t>(bytes, arch::kPageSize - address % arch::kPageSize);
        char* const to = out.room_for(part);
        if (to == nullptr) return out.error();
        if (!view.process->memory().read(address, to, part)) break;
        out.added(part);
        address += part;
        bytes -= part;
    }
    return view_of(asked) ? Errno{} : kNoProcess;
}

} // namespace

Errno make_maps(const Asked& asked, Text& out) {
    const auto view = view_of(asked);
    if (!view) return view.error();
    if (view->is_zombie()) return Errno{};
    const Breaks breaks = breaks_of(*view->linux_process);
    for (std::uint64_t from = 0; !Thread::current().is_killed() && out.error() == Errno{};) {
        const auto area = view->process->memory().next_area(from);
        if (!area) break;
        print_area(out, *area, breaks, view->linux_process->place);
        from = area->end;
    }
    return out.error();
}

Errno make_command_line(const Asked& asked, Text& out) {
    const auto view = view_of(asked);
    if (!view) return view.error();
    if (view->is_zombie()) return Errno{};
    const ProgramPlace& place = view->linux_process->place;
    return copy_memory(asked, place.arguments, place.argument_bytes, out, *view);
}

Errno make_environment(const Asked& asked, Text& out) {
    const auto view = view_of(asked);
    if (!view) return view.error();
    if (view->is_zombie()) return Errno{};
    const ProgramPlace& place = view->linux_process->place;
    return copy_memory(asked, place.environment, place.environment_bytes, out, *view);
}

Errno make_auxiliary(const Asked& asked, Text& out) {
    const auto view = view_of(asked);
    if (!view) return view.error();
    if (view->is_zombie()) return Errno{};
    const ProgramPlace& place = view->linux_process->place;
    return copy_memory(asked, place.auxiliary, place.auxiliary_bytes, out, *view);
}

} // namespace aios::linux_abi
