// See socket_space.hpp.
#include "personality/linux/socket_space.hpp"

#include <cstring>

#include "base/format.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/mm/size_classes.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {

Result<Ref<SocketSpace>> SocketSpace::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<SocketSpace>));
    return Ref<SocketSpace>::adopt(TRY(mm::make<SocketSpace>(std::move(charge))));
}

bool SocketSpace::admits(Call& call, Dial dial, const InetAddress& address) {
    if (address.is_any() || address.is_loopback()) return true;
    char room[InetAddress::kTextRoom + 8];
    char text[InetAddress::kTextRoom];
    const std::string_view what = format_to(room, "{} {}", dial == Dial::bind ? "bind" : "dial", address.text(text));
    Agent& agent = call.process.agent();
    audit::refused(agent.audit(), {agent.id(), call.number, {ObjectType::any, rights::send}, what},
                   Error::missing_right);
    return false;
}

// --- ports -----------------------------------------------------------------------------------------------------------

namespace {

// Whether somebody could mean both.
bool overlap(const SocketBinding& a, const SocketBinding& b) {
    if (a.address.is_v4() == b.address.is_v4())
        return a.address.is_any() || b.address.is_any() || a.address.has_ip_of(b.address);
    const SocketBinding& six = a.address.is_v4() ? b : a; // `::` takes both, unless it says that it does not
    return six.address.is_any() && !six.is_v6_only;
}

bool can_share(const SocketBinding& a, const SocketBinding& b) {
    if (a.shares_port && b.shares_port) return true;
    return a.shares_address && b.shares_address && !a.listens && !b.listens;
}

} // namespace

SocketSpace::Fit SocketSpace::fit_of(const SocketBinding& binding, const InetAddress& address) {
    if (binding.address.has_ip_of(address)) return Fit::exact;
    if (!binding.address.is_any()) return Fit::none;
    if (binding.address.is_v4() == address.is_v4()) return Fit::any_of_family;
    return address.is_v4() && !binding.is_v6_only ? Fit::any : Fit::none;
}

bool SocketSpace::is_port_free_locked(const SocketBinding& wanted) const {
    mutex.assert_held();
    unsigned there = 0;
    for (const SocketBinding* at = ports_.lower_bound(wanted.port); at != nullptr && at->port == wanted.port;
         at = ports_.next(*at)) {
        if (++there == kMostOnPort || (overlap(*at, wanted) && !can_share(*at, wanted))) return false;
    }
    return true;
}

Errno SocketSpace::bind_port(SocketBinding& binding) {
    if (binding.port.number != 0) {
        Mutex::Guard guard(mutex);
        if (!is_port_free_locked(binding)) return kAddressInUse;
        ports_.insert(binding);
        binding.table = SocketBinding::Table::ports;
        return Errno{};
    }
    constexpr unsigned kOwnPorts = kLastOwnPort - kFirstOwnPort + 1;
    for (unsigned tried = 0; tried < kOwnPorts; tried += kTriedAtOnce) { // some under one hold
        Mutex::Guard guard(mutex);
        for (unsigned i = 0; i < kTriedAtOnce; ++i) {
            binding.port.number = static_cast<std::uint16_t>(next_port_);
            next_port_ = next_port_ == kLastOwnPort ? kFirstOwnPort : next_port_ + 1;
            if (ports_.find(binding.port) != nullptr) continue;
            binding.address.port = binding.port.number;
            ports_.insert(binding);
            binding.table = SocketBinding::Table::ports;
            return Errno{};
        }
    }
    binding.port.number = 0;
    return kAddressInUse;
}

bool SocketSpace::may_listen_locked(const SocketBinding& binding) const {
    mutex.assert_held();
    unsigned looked_at = 0;
    for (const SocketBinding* at = ports_.lower_bound(binding.port);
         at != nullptr && at->port == binding.port && looked_at < kMostOnPort; at = ports_.next(*at), ++looked_at) {
        const bool is_in_the_way = at != &binding && at->listens && overlap(*at, binding);
        if (is_in_the_way && !(at->shares_port && binding.shares_port)) return false;
    }
    return true;
}

// --- AF_UNIX ---------------------------------------------------------------------------------------------------------

Errno SocketSpace::bind_abstract_locked(SocketBinding& binding) {
    mutex.assert_held();
    if (abstract_.find(abstract_key(binding)) != nullptr) return kAddressInUse;
    abstract_.insert(binding);
    binding.table = SocketBinding::Table::abstract;
    return Errno{};
}

// Five digits, as on Linux: enough for all sockets that an agent can have.
Errno SocketSpace::bind_any_name(SocketBinding& binding) {
    constexpr std::uint32_t kNames = 1u << 20;
    for (std::uint32_t tried = 0; tried < kNames; tried += kTriedAtOnce) {
        Mutex::Guard guard(mutex);
        for (unsigned i = 0; i < kTriedAtOnce; ++i) {
            char digits[8];
            (void)format_to(digits, "{:x}", next_name_ | kNames); // a one in front, which makes it six digits
            next_name_ = (next_name_ + 1) % kNames;
            binding.name = SocketName::of_family(kFamilyUnix);
            binding.name.bytes = SocketName::kFamilyBytes + 6;
            std::memcpy(binding.name.data + SocketName::kFamilyBytes + 1, digits + 1, 5);
            if (bind_abstract_locked(binding) == Errno{}) return Errno{};
        }
    }
    return kNoSpace;
}

void SocketSpace::bind_node_locked(SocketBinding& binding, Ref<fs::Node> node) {
    mutex.assert_held();
    binding.place = std::move(node);
    nodes_.insert(binding);
    binding.table = SocketBinding::Table::nodes;
}

SocketBinding* SocketSpace::find_abstract_locked(std::int32_t type, std::string_view name) const {
    mutex.assert_held();
    return abstract_.find(AbstractKey{type, name});
}

SocketBinding* SocketSpace::find_node_locked(const fs::Node& node) const {
    mutex.assert_held();
    return nodes_.find(key_of(node));
}

Ref<fs::Node> SocketSpace::unbind_locked(SocketBinding& binding) {
    mutex.assert_held();
    switch (std::exchange(binding.table, SocketBinding::Table::none)) {
    case SocketBinding::Table::none:
        break;
    case SocketBinding::Table::ports:
        ports_.erase(binding);
        break;
    case SocketBinding::Table::abstract:
        abstract_.erase(binding);
        break;
    case SocketBinding::Table::nodes:
        nodes_.erase(binding);
        break;
    }
    return std::move(binding.place);
}

} // namespace aios::linux_abi
