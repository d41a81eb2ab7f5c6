// The first program of the Linux tests, native: runs each bin/test_* of the bundle, and the command lines of
// etc/commands and etc/busybox/commands, as agents with the Linux personality, and says how each ended. Exits with 0 if
// all went well, which is the status of the node.
//
// Each program gets the console, the bundle to read and execute, and a temporary tree: a fresh one for bin/test_*, one
// for all command lines, so that one can look at what another has made. A command line is
//   NAME STATUS PROGRAM ARGUMENT...
// STATUS is the exit status wanted, or sN for an end by signal N, or fN for the fault N, which the log must name; words are separated by single
// spaces; lines with # are comments.
#include "base/format.hpp"
#include "tests/guest/audit_log.hpp"
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::uint64_t kSecondsEach = 240;

struct Wanted {
    EndReason reason = EndReason::exited;
    std::uint64_t status = 0;
    bool any_status = false;
    std::uint64_t fault = 0; // where that is the reason
};

struct Command {
    std::string_view name;
    std::string_view path;
    std::string_view arguments; // strings, each ended by NUL
    Handle temporary;
    Wanted wanted;
    std::uint64_t status = 0;
    std::uint64_t agent = 0; // who it was; set when it has ended
    bool has_job = false;    // the temporary tree a second time, as the job,
    Rights job_rights{};     // with these rights
};

// The log names the fault that ended the agent; records from `from` on.
bool is_recorded_fault(std::uint64_t from, std::uint64_t agent, std::uint64_t vector) {
    unsigned right = 0, wrong = 0;
    const bool whole = for_each_record(from, [&](const LogRecord& record) {
        if (!record.is(AuditKind::fault) || record.agent != agent) return;
        ++(record.detail[0] == vector ? right : wrong);
    });
    return whole && right == 1 && wrong == 0;
}

// All that was given to a child is back, a moment after its end.
bool quota_comes_home(const AgentInfo& before) {
    const std::uint64_t limit = now() + 10 * kSecond;
    while (now() < limit) {
        const AgentInfo after = info_of(self);
        if (after.quota.memory_bytes == before.quota.memory_bytes && after.quota.threads == before.quota.threads &&
            after.quota.handles == before.quota.handles && after.quota.agents == before.quota.agents) {
            return true;
        }
        (void)sys::thread_yield();
    }
    return false;
}

bool run_command(Command& command) {
    const HandleGrant grants[] = {
        console_grant(),
        grant(handle(StartupRole::bundle), rights::read | rights::execute, StartupRole::bundle),
        grant(command.temporary, rights::read | rights::write | rights::execute, StartupRole::temporary),
        grant(command.temporary, command.job_rights, StartupRole::job),
    };
    const AgentInfo own = info_of(self);
    const std::uint64_t records = log_size();
    SpawnOptions options;
    options.arguments = command.arguments;
    options.quota = {own.quota.memory_bytes - own.memory_bytes - (8 << 20), 1000, 300, 0};
    options.handles = grants;
    options.handle_count = command.has_job ? std::size(grants) : std::size(grants) - 1;
    SpawnRequest request = make_request(command.path, options);
    request.personality = static_cast<std::uint32_t>(PersonalityKind::linux_abi);
    if (command.path == "bin/test_jit") request.flags |= kSpawnJit;
    auto child = finish_spawn(sys::agent_spawn(self, &request));
    if (!child) {
        console_print("TEST {} fail cannot be started: {}\n", command.name, error_info(child.error()).name);
        return false;
    }
    const AgentInfo end = wait_dead(child->get(), kSecondsEach);
    if (end.state != static_cast<std::uint32_t>(AgentState::dead)) {
        console_print("TEST {} fail does not end\n", command.name);
        (void)sys::agent_kill(child->get(), 1);
        (void)wait_dead(child->get());
        return false;
    }
    command.agent = end.id;
    command.status = end.end_status;
    child = fail(Error::not_found); // lets go of it
    if (!quota_comes_home(own)) {
        const AgentInfo now_info = info_of(self);
        console_print("TEST {} fail its quota is not back: {} of {} bytes, {} of {} threads\n", command.name,
                      now_info.quota.memory_bytes, own.quota.memory_bytes, now_info.quota.threads, own.quota.threads);
        return false;
    }
    const bool good = end.end_reason == static_cast<std::uint32_t>(command.wanted.reason) &&
                      (command.wanted.reason == EndReason::fault || command.wanted.any_status ||
                       end.end_status == command.wanted.status);
    if (good && command.wanted.reason == EndReason::fault &&
        !is_recorded_fault(records, command.agent, command.wanted.fault)) {
        console_print("TEST {} fail not recorded as the one fault {}\n", command.name, command.wanted.fault);
        return false;
    }
    if (good) {
        console_print("TEST {} pass\n", command.name);
    } else {
        console_print("TEST {} fail ended by reason {} status {} at {:x}\n", command.name, end.end_reason,
                      end.end_status, end.fault_address);
    }
    return good;
}

Result<OwnedHandle> fresh_tree() { return owned(sys::tree_create_temporary(self)); }

// What stands before the first `separator`; `text` loses it and the separator.
std::string_view cut(std::string_view& text, char separator) {
    std::size_t end = 0;
    while (end < text.size() && text[end] != separator)
        ++end;
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(end < text.size() ? end + 1 : end);
    return piece;
}
std::string_view next_word(std::string_view& line) { return cut(line, ' '); }

std::uint64_t number_of(std::string_view text) {
    std::uint64_t value = 0;
    for (const char c : text)
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    return value;
}

bool run_line(std::string_view line, Handle temporary) {
    Command command;
    command.temporary = temporary;
    command.name = next_word(line);
    const std::string_view status = next_word(line);
    if (status.starts_with('f')) {
        command.wanted.reason = EndReason::fault;
        command.wanted.fault = number_of(status.substr(1));
    } else if (status.starts_with('s')) {
        command.wanted = {EndReason::killed, number_of(status.substr(1))};
    } else {
        command.wanted.status = number_of(status);
    }
    char arguments[1024];
    if (line.size() + 1 > sizeof(arguments)) return false;
    for (std::size_t i = 0; i < line.size(); ++i)
        arguments[i] = line[i] == ' ' ? '\0' : line[i];
    arguments[line.size()] = '\0';
    command.arguments = {arguments, line.size() + 1};
    command.path = next_word(line);
    return run_command(command);
}

// The lines of a file of commands; `count` of them were run.
bool run_lines(std::string_view path, std::uint64_t& count) {
    auto file = owned(sys::tree_open(handle(StartupRole::bundle), path.data(), path.size()));
    if (!file) {
        skip(path, "the program was not there when this was built");
        return true;
    }
    HandleInfo info{};
    MapRequest request{};
    if (!sys::handle_info(file->get(), &info)) return false;
    request.bytes = info.size;
    request.protection = kProtectRead;
    const auto address = sys::memory_map(file->get(), &request);
    const auto tree = fresh_tree();
    if (!address || !tree) return false;
    // SAFETY: the kernel has just mapped the file there.
    std::string_view text(reinterpret_cast<const char*>(*address), info.size);
    bool good = true;
    while (!text.empty()) {
        const std::string_view line = cut(text, '\n');
        if (line.empty() || line.front() == '#') continue;
        good = run_line(line, tree->get()) && good;
        ++count;
    }
    return good;
}

bool run_program(std::string_view path) {
    const auto tree = fresh_tree();
    if (!tree) return false;
    char argument[128];
    const std::string_view zero = format_to(argument, "{}", path);
    argument[zero.size()] = '\0';
    Command command;
    command.name = path;
    command.path = path;
    command.arguments = {argument, zero.size() + 1};
    command.temporary = tree->get();
    return run_command(command);
}

// Where a program lies, and the bytes that its library seeds itself with, are others in most runs.
bool run_chance(std::string_view what, Handle temporary) {
    constexpr unsigned kRuns = 4; // by chance all the same once in 16 million
    char arguments[64];
    const std::string_view text = format_to(arguments, "bin/end chance {}", what);
    for (std::size_t i = 0; i <= text.size(); ++i)
        if (i == text.size() || text[i] == ' ') arguments[i] = '\0';
    bool differs = false;
    std::uint64_t first = 0;
    for (unsigned i = 0; i < kRuns; ++i) {
        Command command;
        command.name = "end.chance";
        command.path = "bin/end";
        command.arguments = {arguments, text.size() + 1};
        command.temporary = temporary;
        command.wanted.any_status = true;
        if (!run_command(command)) return false;
        if (i == 0) first = command.status;
        differs = differs || command.status != first;
    }
    if (!differs) failed("the same each time", __LINE__, what);
    return differs;
}

// What a program may not talk to is recorded, with the address.
bool has_recorded_address(std::uint64_t from, std::string_view address) {
    bool is_recorded = false;
    const bool whole = for_each_record(from, [&](const LogRecord& record) {
        is_recorded = is_recorded || (record.is(AuditKind::refusal) && std::string_view(record.name) == address);
    });
    return whole && is_recorded;
}

// A tree with each choice of rights, and the records of what was refused.
bool run_rights(std::string_view mode, Rights job_rights, Rights refused) {
    const auto tree = fresh_tree();
    if (!tree) return false;
    char arguments[64], name[64];
    const std::string_view text = format_to(arguments, "bin/rights {}", mode);
    arguments[text.size() - mode.size() - 1] = '\0';
    arguments[text.size()] = '\0';
    Command command;
    command.name = format_to(name, "bin/rights-{}", mode);
    command.path = "bin/rights";
    command.arguments = {arguments, text.size() + 1};
    command.temporary = tree->get();
    command.has_job = true;
    command.job_rights = job_rights | rights::inspect;
    const std::uint64_t before = log_size();
    if (!run_command(command)) return false;
    bool is_recorded = refused == rights::none;
    CHECK(for_each_record(before, [&](const LogRecord& record) {
        is_recorded = is_recorded || (record.is(AuditKind::refusal) && record.agent == command.agent &&
                                      record.has_details(static_cast<std::uint64_t>(ObjectType::tree), refused.bits(),
                                                         static_cast<std::uint64_t>(Error::missing_right)));
    }));
    CHECK(is_recorded);
    return true;
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "linux");
    bool good = true;
    TreeEntry entry;
    std::uint64_t programs = 0;
    bool has_go = false;
    for (std::uint64_t index = 0; sys::tree_list(handle(StartupRole::bundle), index, &entry); ++index) {
        const std::string_view path(entry.name, entry.name_bytes);
        if (!path.starts_with("bin/test_") || path == "bin/test_init") continue;
        has_go = has_go || path == "bin/test_go";
        const std::uint64_t records = log_size();
        good = run_program(path) && good;
        if (path == "bin/test_sockets_inet")
            run("refused_addresses_are_recorded", [&] { CHECK(has_recorded_address(records, "dial 192.0.2.1:80")); });
        ++programs;
    }
    if (!has_go) skip("bin/test_go", "there was no Go compiler when this was built");
    for (const std::string_view path : {"etc/commands", "etc/busybox/commands"})
        good = run_lines(path, programs) && good;
    run("chance", [&] {
        const auto tree = fresh_tree();
        for (const std::string_view what : {"bytes", "stack", "heap"})
            good = tree && run_chance(what, tree->get()) && good;
    });
    run("refused_rights_are_recorded", [&] {
        good = run_rights("none", rights::none, rights::read) && good;
        good = run_rights("read", rights::read, rights::write) && good;
        good = run_rights("write", rights::write, rights::read) && good;
        good = run_rights("both", rights::read | rights::write, rights::none) && good;
    });
    run("found_programs", [&] { CHECK(programs >= 1); });
    return good && failures == 0 ? 0 : 1;
}
