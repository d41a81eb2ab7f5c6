// The first agent: the root of all authority of this node. See boot.hpp.
#include "kernel/node/first_agent.hpp"

#include <algorithm>
#include <cstring>

#include "boot/container.hpp"
#include "kernel/agent/agent.hpp"
#include "kernel/agent/boot_mark.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/audit/log_view.hpp"
#include "kernel/dev/platform.hpp"
#include "kernel/dev/resource.hpp"
#include "kernel/fs/tree.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/mm/stacks.hpp"
#include "kernel/node/power.hpp"
#include "kernel/observe/report.hpp"
#include "kernel/time/clock.hpp"

namespace aios::node {

namespace {

constexpr std::uint64_t kKernelShare = 16; // one part in so many of the free memory stays with the kernel

// What can be counted follows from the memory that it takes at least: no limit stands below what the memory allows, and
// none far above it. A handle is a slot and a derivation node; a thread a kernel stack, state and object; an agent a
// thread and what is mapped in the smallest program.
constexpr std::uint64_t kLeastHandle = 224, kLeastThread = 20 * 1024, kLeastAgent = 48 * 1024;
// Of what never comes back it has all that can be counted: the machine sets no limit to it, the deployment does, in what
// it gives to whom.
constexpr QuotaGrant root_limits(std::uint64_t bytes) {
    QuotaGrant all{bytes, bytes / kLeastHandle, std::min(bytes / kLeastThread, mm::kMaxStacks), bytes / kLeastAgent};
    for (const Resource resource : kSpentResources)
        all.set(resource, Spending::kMost);
    return all;
}
static_assert(root_limits(900ull << 20).agents > 15'000);

constexpr Rights kHandOn = rights::inspect | rights::derive | rights::transfer;

Result<> put(Agent& agent, StartupBlock& block, StartupRole role, Ref<Object> object, Rights rights) {
    const Handle handle = TRY(agent.table().insert_new(std::move(object), rights));
    block.entries[block.count++] = {handle, static_cast<std::uint32_t>(role), rights.bits()};
    return {};
}

Result<> put_device(Agent& agent, StartupBlock& block, StartupRole role, DeviceKind kind, Rights rights) {
    Ref<DeviceResource> device = TRY(DeviceResource::create(agent.quota(), kind));
    return put(agent, block, role, std::move(device), rights | kHandOn);
}

Result<> fill_table(Agent& agent, StartupBlock& block, AgentPlan&) {
    TRY(put_device(agent, block, StartupRole::console, DeviceKind::console, rights::write));
    TRY(put_device(agent, block, StartupRole::host_port, DeviceKind::host_port, rights::send | rights::receive));
    TRY(put_device(agent, block, StartupRole::power, DeviceKind::power, rights::power));
    TRY(put_device(agent, block, StartupRole::frames, DeviceKind::frames, rights::write | rights::map));
    if (const std::uint64_t hpet = dev::platform().hpet; hpet != 0 && hpet % arch::kPageSize == 0) {
        Ref<DeviceResource> registers =
            TRY(DeviceResource::create(agent.quota(), DeviceKind::registers, {{hpet}, arch::kPageSize, false}));
        TRY(put(agent, block, StartupRole::registers, std::move(registers), rights::map | kHandOn));
    }
    Ref<LogView> log = TRY(LogView::create(agent.quota()));
    TRY(put(agent, block, StartupRole::log, std::move(log), rights::read | rights::write | kHandOn));
    Ref<fs::Tree> bundle = TRY(fs::open_bundle_section(boot::kSectionBoot));
    TRY(put(agent, block, StartupRole::bundle, std::move(bundle), rights::read | rights::execute | kHandOn));
    // A container without a job is no error: tests bring none.
    if (auto job = fs::open_bundle_section(boot::kSectionJob))
        TRY(put(agent, block, StartupRole::job, std::move(*job), rights::read | rights::execute | kHandOn));
    else if (job.error() != Error::not_found)
        return fail(job.error());
    Ref<fs::Tree> temporary = TRY(fs::create_temporary_tree(agent.quota()));
    return put(agent, block, StartupRole::temporary, std::move(temporary), rights::read | rights::write | kHandOn);
}

void record_boot() {
    audit::Record record;
    record.kind = audit::Kind::boot;
    record.detail[0] = static_cast<std::uint64_t>(arch::hand_off().path);
    record.detail[1] = arch::fixed_seed().has_value();
    record.detail[2] = arch::cpu_count();
    std::uint8_t digest[32];
    if (fs::boot_manifest_digest(digest)) std::memcpy(record.digest, digest, sizeof(digest));
    audit::record(audit::kernel_account(), record, audit::Use::urgent);
}

// Tells the host that the first program runs. A thread of its own, so that nothing of it delays that program.
void tell_boot(void*) {
    while (first_user_ticks.load(std::memory_order_relaxed) == 0)
        (void)sched::sleep_until(time::deadline_after(1'000'000));
    observe::send_boot_facts();
}

} // namespace

Result<> start_first_agent() {
    arch::add_panic_reporter(audit::drain_in_panic);
    start_reaper();
    start_power_thread();
    register_native_personality();
    record_boot();

    const std::string_view path = fs::first_program();
    Ref<fs::Tree> bundle = TRY(fs::open_bundle_section(boot::kSectionBoot));

    const std::uint64_t free_bytes = mm::frame_counts().free * mm::kPageSize;
    const QuotaGrant all = root_limits(free_bytes - free_bytes / kKernelShare);
    Ref<Quota> quota = TRY(Quota::create_root(all));
    Ref<fs::Node> program = TRY(bundle->open(path, *quota));

    const auto plan = TRY(mm::own<AgentPlan>());
    plan->quota = all;
    plan->flags = kSpawnJit; // what it may hand on
    plan->image = TRY(program->pages());
    plan->is_measured = program->content_root(plan->program);
    plan->path = path.data();
    plan->path_bytes = path.size();
    const std::size_t slash = path.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    std::memcpy(plan->name, name.data(), std::min(name.size(), sizeof(plan->name) - 1));

    const Ref<Agent> agent = TRY(Agent::create_first(std::move(quota), *plan, fill_table));
    audit::Record record;
    record.kind = audit::Kind::agent_start;
    record.subject = agent->id();
    record.detail[0] = audit::start_detail(plan->personality, plan->flags);
    record.detail[1] = all.memory_bytes;
    audit::set_name(record, agent->name());
    std::memcpy(record.digest, agent->identity().identity, sizeof(record.digest));
    audit::record(audit::kernel_account(), record, audit::Use::urgent);
    const Ref<Thread> teller = TRY(Thread::create_kernel("boot-facts", tell_boot, nullptr));
    teller->start();
    log_info("first agent {} from {}, {} MiB", agent->id(), path, all.memory_bytes >> 20);
    return {};
}

} // namespace aios::node
