// SocketSpace: where the sockets of one agent find each other. Its processes share it, and no other agent sees it.
//
// It has the names of all bound sockets (ports, abstract names, nodes of trees) and the agent's dial table: which addresses
// its sockets may be bound to and may talk to. For now that is the loopback alone.
//
// Holds always: a socket has at most one name, which is part of it; it leaves the space before it ends, so whoever finds
// one under the mutex finds it whole. Lock: Rank::open_file, a mutex, over all names, and over who listens, connects and
// waits for whom (stream_socket.hpp). Data moves without it. No reference to an open file is dropped under it, as the end of
// a socket takes it. Bounds: 64 sockets on a port, 64 ports tried under one hold.
#pragma once

#include "base/intrusive_tree.hpp"
#include "kernel/fs/tree.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/sync/lock.hpp"
#include "personality/linux/socket_names.hpp"

namespace aios::linux_abi {

struct Call;
class SocketFile;

// What a socket is bound to: part of the socket, under the space's mutex.
struct SocketBinding {
    SocketBinding(SocketFile& owner, std::int32_t type) : socket(owner), port{type, 0} {}
    SocketBinding(const SocketBinding&) = delete;
    ~SocketBinding() = default;

    enum class Table : std::uint8_t { none, ports, abstract, nodes };
    struct Port {
        std::int32_t type = 0; // kSocketStream or kSocketDatagram
        std::uint16_t number = 0;
        auto operator<=>(const Port&) const = default;
    };
    SocketFile& socket;
    Table table = Table::none;
    TreeNode node;
    // ports
    Port port;
    InetAddress address;
    bool is_v6_only = false, shares_address = false, shares_port = false; // IPV6_V6ONLY, SO_REUSEADDR, SO_REUSEPORT
    bool listens = false;
    // AF_UNIX
    SocketName name; // as it is told
    Ref<fs::Node> place;
};

class SocketSpace {
public:
    static constexpr std::uint16_t kFirstOwnPort = 32768, kLastOwnPort = 60999;
    static constexpr unsigned kMostOnPort = 64, kTriedAtOnce = 64;

    static Result<Ref<SocketSpace>> create(Payer& payer);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }
    using Mutex = sync::Mutex<sync::Rank::open_file>;
    mutable Mutex mutex;

    // The dial table: whether the agent's sockets may be bound to an address, and whether they may talk to it. What it may
    // not is recorded as a refusal. Whatever opens a way out asks here. No locks.
    enum class Dial : std::uint8_t { bind, connect };
    [[nodiscard]] static bool admits(Call& call, Dial dial, const InetAddress& address);

    // --- ports. The binding says what is wanted; port 0: any that is free. kAddressInUse.
    Errno bind_port(SocketBinding& binding);
    // Whether it may listen beside the others on its port.
    [[nodiscard]] bool may_listen_locked(const SocketBinding& binding) const AIOS_REQUIRES(mutex);
    // Who is to be had at this address: of several that share a port the one for which `load` is least; nullptr: nobody.
    template <typename Load>
    SocketBinding* find_port_locked(SocketBinding::Port port, const InetAddress& address, Load&& load) const
        AIOS_REQUIRES(mutex);

    // --- AF_UNIX. kAddressInUse.
    Errno bind_abstract_locked(SocketBinding& binding) AIOS_REQUIRES(mutex);
    Errno bind_any_name(SocketBinding& binding); // an abstract name that nobody has
    void bind_node_locked(SocketBinding& binding, Ref<fs::Node> node) AIOS_REQUIRES(mutex);
    // Each type of socket has abstract names of its own.
    [[nodiscard]] SocketBinding* find_abstract_locked(std::int32_t type, std::string_view name) const
        AIOS_REQUIRES(mutex);
    [[nodiscard]] SocketBinding* find_node_locked(const fs::Node& node) const AIOS_REQUIRES(mutex);

    // --- files on their way between processes: at most kMostInFlight
    static constexpr std::uint64_t kMostInFlight = 1024;
    [[nodiscard]] bool takes_off(std::uint64_t files) {
        if (in_flight_.fetch_add(files, std::memory_order_relaxed) + files <= kMostInFlight) return true;
        landed(files);
        return false;
    }
    [[nodiscard]] std::uint32_t new_netlink_port() {
        constexpr std::uint32_t kOurs = 1u << 31; // programs choose those of their processes
        return kOurs | (next_netlink_port_.fetch_add(1, std::memory_order_relaxed) + 1);
    }
    void landed(std::uint64_t files) { in_flight_.fetch_sub(files, std::memory_order_relaxed); }

    // Answers the node that the binding kept, to be let go outside the mutex.
    Ref<fs::Node> unbind_locked(SocketBinding& binding) AIOS_REQUIRES(mutex);

    SocketSpace(mm::OnHeap, Reservation charge) : charge_(std::move(charge)) {}
    SocketSpace(const SocketSpace&) = delete;
    ~SocketSpace() = default;

private:
    [[nodiscard]] bool is_port_free_locked(const SocketBinding& wanted) const AIOS_REQUIRES(mutex);
    static std::uint64_t key_of(const fs::Node& node) {
        return reinterpret_cast<std::uint64_t>(&node); // SAFETY: an address as a number, compared alone
    }
    struct AbstractKey {
        std::int32_t type;
        std::string_view name;
        auto operator<=>(const AbstractKey&) const = default;
    };
    static AbstractKey abstract_key(const SocketBinding& binding) { return {binding.port.type, binding.name.text()}; }
    RefCount references_;
    Reservation charge_;
    std::atomic<std::uint64_t> in_flight_{0};
    std::atomic<std::uint32_t> next_netlink_port_{0};
    IntrusiveTree<SocketBinding, &SocketBinding::node, &SocketBinding::port> ports_ AIOS_GUARDED_BY(mutex);
    IntrusiveTree<SocketBinding, &SocketBinding::node,
                  [](const SocketBinding& binding) { return abstract_key(binding); }>
        abstract_ AIOS_GUARDED_BY(mutex);
    IntrusiveTree<SocketBinding, &SocketBinding::node,
                  [](const SocketBinding& binding) { return key_of(*binding.place); }>
        nodes_ AIOS_GUARDED_BY(mutex);
    std::uint32_t next_port_ AIOS_GUARDED_BY(mutex) = kFirstOwnPort;
    std::uint32_t next_name_ AIOS_GUARDED_BY(mutex) = 0;

    // How well a binding fits an address, the best first.
    enum class Fit : std::uint8_t { exact, any_of_family, any, none };
    [[nodiscard]] static Fit fit_of(const SocketBinding& binding, const InetAddress& address);
};

template <typename Load>
SocketBinding* SocketSpace::find_port_locked(SocketBinding::Port port, const InetAddress& address, Load&& load) const {
    mutex.assert_held();
    SocketBinding* best = nullptr;
    Fit best_fit = Fit::none;
    std::uint64_t least = 0;
    unsigned looked_at = 0;
    for (SocketBinding* at = ports_.lower_bound(port); at != nullptr && at->port == port && looked_at < kMostOnPort;
         at = ports_.next(*at), ++looked_at) {
        const Fit fit = fit_of(*at, address);
        const auto at_load = load(*at); // an optional: nullopt is not to be had
        if (fit == Fit::none || !at_load) continue;
        if (best != nullptr && (fit > best_fit || (fit == best_fit && *at_load >= least))) continue;
        best = at;
        best_fit = fit;
        least = *at_load;
    }
    return best;
}

} // namespace aios::linux_abi
