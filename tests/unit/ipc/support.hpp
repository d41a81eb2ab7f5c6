// An agent as ipc sees one, and short ways to send and receive text.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "kernel/ipc/channel.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/support/sched_host.hpp"

namespace aios::test {

// User memory is the process's own; addresses below kBadBelow fault.
inline constexpr std::uint64_t kBadBelow = arch::kUserLow + 0x1000;
// A copy to this address calls `during_copy`, and then faults.
inline constexpr std::uint64_t kSlowAddress = arch::kUserLow;
extern std::function<void()> during_copy;
extern std::atomic<long> live_frames; // references that grants have

class Actor final : public ipc::Party {
public:
    explicit Actor(std::uint64_t id, std::uint64_t memory = 1ull << 30)
        : quota(*Quota::create_root({memory, 1000, 10, 10})), table(*cap::Table::create(*quota, id)), id_(id) {}
    ~Actor() { table->close_all(); }
    [[nodiscard]] std::uint64_t principal() const override { return id_; }
    [[nodiscard]] cap::Table* handle_table() override { return table.get(); }
    [[nodiscard]] Payer& payer() override { return *quota; }
    // Pages that come are counted and given back at once.
    Result<> accept(mm::Grant& grant, std::uint64_t address) override {
        if (address < kBadBelow) return fail(Error::bad_address);
        for (std::uint32_t i = 0; i < grant.pages(); ++i)
            mm::release_frames(std::exchange(grant.frames[i], mm::Grant::kUntouched), 0);
        pages += grant.pages();
        return {};
    }
    void message_sent() override { ++sent; }
    void message_received() override { ++received; }

    Ref<Quota> quota;
    Ref<cap::Table> table;
    std::atomic<int> sent{0}, received{0};
    std::atomic<std::uint32_t> pages{0}; // that came

private:
    std::uint64_t id_;
};

inline ipc::Buffer text_buffer(std::string_view text) { return ipc::Buffer::kernel(std::as_bytes(std::span(text))); }

inline Result<> send_text(ipc::Channel& channel, Actor& from, std::string_view text) {
    ipc::OutMessage out{text_buffer(text), {}};
    return channel.send(from, out);
}

// Pages as mm::AddressSpace::grant makes them.
inline mm::Owned<mm::Grant> make_grant(Actor& from, Ref<mm::GrantRoll> roll, std::uint32_t pages) {
    mm::Owned<mm::Grant> grant = *mm::Grant::create(*from.quota, pages);
    grant->enroll(std::move(roll));
    for (std::uint32_t i = 0; i < pages; ++i)
        grant->frames[i] = {(i + 1) * mm::kPageSize};
    live_frames += pages;
    return grant;
}

// A place for one message.
struct Inbox {
    explicit Inbox(std::size_t bytes = 65536, std::size_t handles = 8) : data(bytes), grants(handles) {
        message.bytes = ipc::Buffer::kernel(std::as_writable_bytes(std::span(data)));
        message.handles = ipc::Buffer::kernel(std::as_writable_bytes(std::span(grants)));
    }
    [[nodiscard]] std::string text() const { return {data.data(), message.size}; }
    std::vector<char> data;
    std::vector<HandleGrant> grants;
    ipc::InMessage message;
};

// A channel with a full handle in the table of `owner`.
struct Made {
    Ref<ipc::Channel> channel;
    Handle handle;
};
inline Made make_channel(Actor& owner, std::uint64_t messages = 16, std::uint64_t bytes = 65536) {
    Made made;
    made.channel = *ipc::Channel::create(*owner.quota, messages, bytes);
    made.handle = *owner.table->insert_new(made.channel, rights::all);
    return made;
}

} // namespace aios::test
