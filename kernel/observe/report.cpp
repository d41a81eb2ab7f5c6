// Frames with accounts, checks and boot facts. See report.hpp.
#include "kernel/observe/report.hpp"

#include <algorithm>
#include <atomic>

#include "kernel/agent/agent.hpp"
#include "kernel/agent/boot_mark.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/cap/counters.hpp"
#include "kernel/host/output.hpp"
#include "messages/view.hpp"

namespace aios::observe {

namespace {

using messages::view::Account, messages::view::BootFacts, messages::view::CheckCount, messages::view::SpentAccount;

// Sends a message that takes kRoom bytes at most.
template <std::size_t kRoom, messages::IsMessage T>
void send(FrameKind kind, std::uint64_t agent, const char* name, const T& message) {
    std::byte buffer[kRoom];
    if (const auto body = messages::encode(buffer, message)) upcall::send_frame(kind, agent, name, *body);
}

void send_account(const AgentInfo& info) {
    Account account{.id = info.id,
                    .parent = info.parent,
                    .state = info.state,
                    .end_reason = info.end_reason,
                    .end_status = info.end_status,
                    .fault_address = info.fault_address,
                    .cpu_ns = info.cpu_ns,
                    .memory_bytes = info.memory_bytes,
                    .memory_peak_bytes = info.memory_peak_bytes,
                    .quota_memory_bytes = info.quota.memory_bytes,
                    .quota_handles = info.quota.handles,
                    .quota_threads = info.quota.threads,
                    .quota_agents = info.quota.agents,
                    .messages_sent = info.messages_sent,
                    .messages_received = info.messages_received,
                    .checks_granted = info.checks_granted,
                    .checks_refused = info.checks_refused,
                    .identity = {},
                    .name = name_text(info.name),
                    .spent = {}};
    SpentAccount spent[kSpentCount];
    std::size_t count = 0;
    for (const Resource resource : kSpentResources) {
        const std::uint64_t limit = info.quota.value(resource), used = info.used.value(resource);
        if (limit != 0 || used != 0)
            spent[count++] = {.resource = static_cast<std::uint64_t>(resource), .limit = limit, .used = used};
    }
    if (count != 0) account.spent = std::span<const SpentAccount>(spent, count);
    std::ranges::copy(std::as_bytes(std::span(info.identity)), account.identity.begin());
    send<480>(FrameKind::account, info.id, info.name, account);
}

void send_checks() {
    std::byte buffer[cap::kObjectTypes * cap::kRightKinds * 24];
    cbor::Encoder out(buffer);
    out.array_open();
    for (unsigned type = 0; type < cap::kObjectTypes; ++type) {
        for (unsigned right = 0; right < cap::kRightKinds; ++right) {
            const cap::CheckCount count = cap::checks_of(type, right);
            if (count.granted == 0 && count.refused == 0) continue;
            messages::put(out,
                          CheckCount{.type = type, .right = right, .granted = count.granted, .refused = count.refused});
        }
    }
    out.close();
    if (const auto body = out.finish()) upcall::send_frame(FrameKind::checks, 0, "kernel", *body);
}

} // namespace

void send_boot_facts() {
    static constinit std::atomic<bool> sent{false};
    const std::uint64_t first = first_user_ticks.load(std::memory_order_relaxed);
    if (first == 0 || sent.exchange(true)) return;
    const boot::HandOff& handoff = arch::hand_off();
    std::uint64_t memory = 0;
    for (std::uint32_t i = 0; i < handoff.range_count; ++i)
        if (handoff.ranges[i].kind != boot::MemoryKind::reserved) memory += handoff.ranges[i].bytes;
    const BootFacts facts{.entry_tsc = handoff.entry_tsc,
                          .tsc_khz = arch::tick_khz(),
                          .first_user_tsc = first,
                          .processors = arch::cpu_count(),
                          .path = static_cast<std::uint64_t>(handoff.path),
                          .memory_bytes = memory,
                          .seed_fixed = arch::fixed_seed().has_value(),
                          .label = "unsigned development boot"};
    send<160>(FrameKind::boot_facts, 0, "kernel", facts);
}

void send_final() {
    send_boot_facts();
    Agent::for_each(send_account);
    send_checks();
}

} // namespace aios::observe

namespace aios::upcall {

void agent_is_dead(const AgentInfo& account) { observe::send_account(account); }

} // namespace aios::upcall
