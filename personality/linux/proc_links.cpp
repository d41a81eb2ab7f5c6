// The links of /proc, and what is told of descriptors. A link to an open file leads to the file itself, be it a pipe or a
// file whose name is gone; its text says what it was opened as.
#include "personality/linux/process_view.hpp"
#include "personality/linux/text.hpp"

namespace aios::linux_abi {

namespace {

// The calling thread's numbers; none while the program of an execve is loaded, which looks its interpreter up.
bool has_number(const Asked& asked) { return asked.caller.has_entry(); }

std::uint64_t flags_of(const OpenFile& file) {
    std::uint64_t flags = !file.writable ? kOpenReadOnly : file.readable ? kOpenReadWrite : kOpenWriteOnly;
    constexpr std::uint64_t kLargeFile = 0100000; // Linux sets it in every open file of a 64-bit program
    if (file.node() != nullptr) flags |= kLargeFile;
    if (file.append) flags |= kOpenAppend;
    if (file.non_blocking) flags |= kOpenNonBlock;
    if (file.path_only) flags |= kOpenPath;
    return flags;
}

} // namespace

Errno make_self_link(const Asked& asked, Text& out) {
    if (!has_number(asked)) return kNoEntry;
    out.print("{}", asked.caller.pid());
    return Errno{};
}

Errno make_thread_self_link(const Asked& asked, Text& out) {
    // A program that is being loaded has no thread of its own yet.
    if (!has_number(asked) || Thread::current().personality_data == nullptr) return kNoEntry;
    out.print("{}/task/{}", asked.caller.pid(), data_of(Thread::current()).tid);
    return Errno{};
}

Errno make_executable_link(const Asked& asked, Text& out) {
    const auto view = view_living(asked.caller.family(), asked.node.pid, asked.node.born);
    if (!view) return kNoEntry;
    out.write(view->executable());
    return Errno{};
}

Errno make_directory_link(const Asked& asked, Text& out) {
    const auto view = view_living(asked.caller.family(), asked.node.pid, asked.node.born);
    if (!view) return kNoEntry;
    LinuxProcess& process = *view->linux_process;
    LinuxProcess::Lock::Guard guard(process.lock);
    out.write("/");
    out.write(process.working_directory.view());
    return Errno{};
}

std::expected<Ref<OpenFile>, Errno> descriptor_of(const Asked& asked) {
    const auto view = view_living(asked.caller.family(), asked.node.pid, asked.node.born);
    if (!view) return std::unexpected(kNoEntry);
    LinuxProcess& process = *view->linux_process;
    LinuxProcess::Lock::Guard guard(process.lock);
    auto file = process.files.get(Descriptor(asked.node.number));
    if (!file) return std::unexpected(kNoEntry);
    return file;
}

std::optional<std::uint32_t> descriptor_numbers(const Asked& directory, std::uint32_t from) {
    const auto view = view_living(directory.caller.family(), directory.node.pid, directory.node.born);
    if (!view) return std::nullopt;
    LinuxProcess& process = *view->linux_process;
    LinuxProcess::Lock::Guard guard(process.lock);
    return process.files.next(from);
}

void describe(OpenFile& file, Text& out) {
    const Stat info = file.info();
    if (file.is_directory() || !file.path().empty()) {
        out.write("/");
        out.write(file.path());
        if (file.node() != nullptr && info.links == 0) out.write(" (deleted)");
        return;
    }
    switch (file.kind()) {
    case FileKind::epoll:
        return out.write("anon_inode:[eventpoll]");
    case FileKind::timer:
        return out.write("anon_inode:[timerfd]");
    case FileKind::signals:
        return out.write("anon_inode:[signalfd]");
    case FileKind::socket:
        return out.print("socket:[{}]", info.inode);
    case FileKind::process:
        return out.write("anon_inode:[pidfd]");
    case FileKind::other:
        break;
    }
    if (file.pipe() != nullptr) return out.print("pipe:[{}]", info.inode);
    out.write("anon_inode:[eventfd]");
}

Errno make_descriptor_info(const Asked& asked, Text& out) {
    const auto file = descriptor_of(asked);
    if (!file) return file.error();
    std::uint64_t position = 0;
    if (const Outcome at = (*file)->seek(0, kSeekCurrent); at) position = *at;
    std::uint64_t flags = flags_of(**file);
    {
        const auto view = view_living(asked.caller.family(), asked.node.pid, asked.node.born);
        if (!view) return kNoEntry;
        LinuxProcess& process = *view->linux_process;
        LinuxProcess::Lock::Guard guard(process.lock);
        if (process.files.on_exec(Descriptor(asked.node.number)) == OnExec::close) flags |= kOpenCloseOnExec;
    }
    char octal[24];
    std::size_t at = sizeof(octal);
    do {
        octal[--at] = static_cast<char>('0' + (flags & 7));
        flags >>= 3;
    } while (flags != 0);
    const Stat info = (*file)->info();
    out.print("pos:\t{}\nflags:\t0{}\nmnt_id:\t{}\nino:\t{}\n", position,
              std::string_view(octal + at, sizeof(octal) - at), info.device, info.inode);
    return Errno{};
}

} // namespace aios::linux_abi
