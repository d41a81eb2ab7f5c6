// Frames with accounts, checks and boot facts. See report.hpp.
#include "kernel/observe/report.hpp"

#include <atomic>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "kernel/agent/agent.hpp"
#include "kernel/agent/boot_mark.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/cap/counters.hpp"
#include "kernel/host/output.hpp"
#include "kernel/observe/report.hpp"

namespace aios::observe {

namespace {

void send_account(const AgentInfo& info) {
    std::byte buffer[384];
    cbor::Encoder out(buffer);
    const std::uint64_t numbers[] = {
        info.id,
        info.parent,
        info.state,
        info.end_reason,
        info.end_status,
        info.fault_address,
        info.cpu_ns,
        info.memory_bytes,
        info.memory_peak_bytes,
        info.quota.memory_bytes,
        info.quota.handles,
        info.quota.threads,
        info.quota.agents,
        info.messages_sent,
        info.messages_received,
        info.checks_granted,
        info.checks_refused,
    };
    constexpr std::uint64_t count = std::size(numbers);
    out.map(count + 2);
    for (std::uint64_t key = 0; key < count; ++key)
        out.key(key).uint(numbers[key]);
    out.key(count).bytes(std::as_bytes(std::span(info.identity)));
    out.key(count + 1).text(name_text(info.name));
    if (const auto body = out.finish()) send_frame(FrameKind::account, info.id, info.name, *body);
}

void send_checks() {
    std::byte buffer[cap::kObjectTypes * cap::kRightKinds * 24];
    cbor::Encoder out(buffer);
    out.array_open();
    for (unsigned type = 0; type < cap::kObjectTypes; ++type) {
        for (unsigned right = 0; right < cap::kRightKinds; ++right) {
            const cap::CheckCount count = cap::checks_of(type, right);
            if (count.granted == 0 && count.refused == 0) continue;
            out.array(4).uint(type).uint(right).uint(count.granted).uint(count.refused);
        }
    }
    out.close();
    if (const auto body = out.finish()) send_frame(FrameKind::checks, 0, "kernel", *body);
}

} // namespace

void start() { Agent::set_account_sink(send_account); }

void send_boot_facts() {
    static constinit std::atomic<bool> sent{false};
    const std::uint64_t first = first_user_ticks.load(std::memory_order_relaxed);
    if (first == 0 || sent.exchange(true)) return;
    const boot::HandOff& handoff = arch::hand_off();
    std::uint64_t memory = 0;
    for (std::uint32_t i = 0; i < handoff.range_count; ++i)
        if (handoff.ranges[i].kind != boot::MemoryKind::reserved) memory += handoff.ranges[i].bytes;
    std::byte buffer[160];
    cbor::Encoder out(buffer);
    out.map(8);
    out.key(0).uint(handoff.entry_tsc);
    out.key(1).uint(arch::tick_khz());
    out.key(2).uint(first);
    out.key(3).uint(arch::cpu_count());
    out.key(4).uint(static_cast<std::uint64_t>(handoff.path));
    out.key(5).uint(memory);
    out.key(6).boolean(arch::fixed_seed().has_value());
    out.key(7).text("unsigned development boot");
    if (const auto body = out.finish()) send_frame(FrameKind::boot_facts, 0, "kernel", *body);
}

void send_final() {
    send_boot_facts();
    Agent::for_each(send_account);
    send_checks();
}

} // namespace aios::observe
