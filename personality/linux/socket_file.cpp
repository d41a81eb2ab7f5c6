// What all sockets share: reading and writing as files, waiting, and names. See socket_file.hpp.
#include "personality/linux/socket_file.hpp"

#include <cstring>

#include "kernel/event/watch.hpp"
#include "personality/linux/stream_socket.hpp"
#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {

using Guard = SocketSpace::Mutex::Guard;
using Table = SocketBinding::Table;

std::expected<Ref<StreamSocket>, Errno> SocketFile::accept(Call&) { return std::unexpected(kNotSupported); }

Outcome SocketFile::read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) {
    return read_vectors(call, Vectors(to.address(), bytes));
}
Outcome SocketFile::write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) {
    return write_vectors(call, Vectors(from.address(), bytes));
}
Outcome SocketFile::read_vectors(Call& call, const Vectors& to) {
    VectorsOut out(to);
    Received told;
    return receive(call, out, to.bytes(), 0, told);
}
Outcome SocketFile::write_vectors(Call& call, const Vectors& from) {
    VectorsIn in(from);
    return send(call, in, from.bytes(), {});
}
Errno SocketFile::put(Call& call, Bytes bytes) {
    ipc::BytesIn in(bytes);
    const Outcome done = send(call, in, bytes.size(), {});
    return done ? Errno{} : done.error();
}

Errno SocketFile::wait_for_signals(Call& call, std::uint64_t signals, sched::Deadline deadline) {
    event::Waiter waiter;
    event::Watch watch(waiter, *source(), signals | kSignalClosed | kSignalError);
    if (!watch.begin()) return kNoMemory;
    while (watch.raised() == 0) {
        const auto outcome = waiter.wait(deadline);
        if (outcome == sched::Outcome::timed_out) return kAgain;
        if (outcome == sched::Outcome::interrupted) return interrupted_call(call, AfterHandler::restarts).error();
    }
    return Errno{};
}

// --- names -----------------------------------------------------------------------------------------------------------

// One thread looks for a name at a time. kInvalid: it has one, or another thread is at it.
Errno SocketFile::begin_binding() {
    Guard guard(space_->mutex);
    if (binding_.table != Table::none || is_being_bound_) return kInvalid;
    is_being_bound_ = true;
    return Errno{};
}

void SocketFile::end_binding() {
    Guard guard(space_->mutex);
    is_being_bound_ = false;
}

void SocketFile::unbind() {
    Ref<fs::Node> node;
    Guard guard(space_->mutex);
    node = space_->unbind_locked(binding_);
}

Errno SocketFile::bind_address(const InetAddress& address) {
    if (begin_binding() != Errno{}) return Errno{};
    {
        Guard guard(space_->mutex);
        binding_.address = address;
        binding_.port = {kind_.type, address.port};
        binding_.is_v6_only = options_.is_on(SocketOption::v6_only);
        binding_.shares_address = options_.is_on(SocketOption::reuse_address);
        binding_.shares_port = options_.is_on(SocketOption::reuse_port);
    }
    const Errno error = space_->bind_port(binding_);
    end_binding();
    return error;
}

SocketName SocketFile::inet_name_locked() const {
    space_->mutex.assert_held();
    if (binding_.table == Table::none) return InetAddress::any(kind_.family).name(kind_.family);
    InetAddress address = binding_.address;
    address.port = binding_.port.number;
    return address.name(kind_.family);
}

Outcome SocketFile::bind(Call& call, const SocketName& name) {
    if (!is_inet()) return bind_unix(call, name);
    std::uint16_t family = kind_.family;
    auto address = InetAddress::from(name, family);
    if (!address && address.error() == kNoFamily && family == kFamilyInet && name.family() == kFamilyNone) {
        SocketName same = name; // AF_UNSPEC is taken for all addresses
        std::memcpy(same.data, &family, sizeof(family));
        const auto any = LINUX_TRY(InetAddress::from(same, family));
        if (any.is_any()) address = any;
    }
    const InetAddress wanted = LINUX_TRY(std::move(address));
    if (!SocketSpace::admits(call, SocketSpace::Dial::bind, wanted)) return refuse(kNoAddress);
    {
        Guard guard(space_->mutex);
        if (binding_.table != Table::none || is_being_bound_) return refuse(kInvalid);
    }
    const Errno error = bind_address(wanted);
    return error == Errno{} ? Outcome(0) : refuse(error);
}

Outcome SocketFile::bind_unix(Call& call, const SocketName& name) {
    constexpr std::uint32_t kMostUnix = 110; // struct sockaddr_un
    if (name.bytes < SocketName::kFamilyBytes || name.bytes > kMostUnix || name.family() != kFamilyUnix)
        return refuse(kInvalid);
    const bool has_path = !name.text().empty() && name.text().front() != '\0';
    if (has_path) return bind_path(call, name);
    if (const Errno error = begin_binding(); error != Errno{})
        return name.text().empty() ? Outcome(0) : refuse(error); // who has a name needs none of the system's choice
    Errno error{};
    if (name.text().empty()) {
        error = space_->bind_any_name(binding_);
    } else {
        Guard guard(space_->mutex);
        binding_.name = name;
        error = space_->bind_abstract_locked(binding_);
    }
    end_binding();
    return error == Errno{} ? Outcome(0) : refuse(error);
}

// The node is made first: who is told the name can find it. If the socket has a name already it goes again.
Outcome SocketFile::bind_path(Call& call, const SocketName& name) {
    const std::string_view path = name.text().substr(0, name.text().find('\0'));
    Lookup lookup = LINUX_TRY(Lookup::resolve_text(call, path, Follow::no));
    const auto existing = lookup.node();
    if (existing || lookup.is_generated()) return refuse(kAddressInUse);
    if (existing.error() != kNoEntry || lookup.must_be_directory()) return refuse(existing.error());
    if (const Errno error = lookup.permit_change(); error != Errno{}) return refuse(error);
    const std::uint32_t mode = 0777 & ~call.process.creation_mask.load();
    auto node = lookup.tree()->create_socket(lookup.relative(), mode);
    if (!node) return refuse(node.error() == Error::already_exists ? kAddressInUse : change_errno(node.error()));
    if (const Errno error = begin_binding(); error != Errno{}) {
        (void)lookup.tree()->remove(lookup.relative(), fs::NodeKind::socket);
        return refuse(error);
    }
    {
        Guard guard(space_->mutex);
        binding_.name = SocketName::of_family(kFamilyUnix);
        std::memcpy(binding_.name.data + SocketName::kFamilyBytes, path.data(), path.size());
        binding_.name.bytes = static_cast<std::uint32_t>(SocketName::kFamilyBytes + path.size() + 1); // with a NUL
        space_->bind_node_locked(binding_, std::move(*node));
    }
    end_binding();
    return 0;
}

std::expected<UnixTarget, Errno> find_unix(Call& call, const SocketName& name) {
    constexpr std::uint32_t kMostUnix = 110;
    if (name.bytes <= SocketName::kFamilyBytes || name.bytes > kMostUnix || name.family() != kFamilyUnix)
        return std::unexpected(kInvalid);
    UnixTarget target;
    if (name.text().front() == '\0') {
        target.abstract = name.text();
        return target;
    }
    const std::string_view path = name.text().substr(0, name.text().find('\0'));
    Lookup lookup = LINUX_TRY(Lookup::resolve_text(call, path, Follow::yes));
    target.node = LINUX_TRY(lookup.node());
    if (const Errno error = lookup.permit(rights::read); error != Errno{}) return std::unexpected(error);
    if (!target.node || target.node->info().kind != fs::NodeKind::socket) return std::unexpected(kConnectionRefused);
    return target;
}

SocketBinding* find_unix_locked(const SocketSpace& space, std::int32_t type, const UnixTarget& target) {
    space.mutex.assert_held();
    return target.node ? space.find_node_locked(*target.node) : space.find_abstract_locked(type, target.abstract);
}

std::expected<InetAddress, Errno> find_inet(Call& call, const SocketKind& kind, const SocketName& name) {
    if (name.bytes < SocketName::kFamilyBytes) return std::unexpected(kInvalid);
    InetAddress address = LINUX_TRY(InetAddress::from(name, kind.family));
    if (!SocketSpace::admits(call, SocketSpace::Dial::connect, address)) return std::unexpected(kAccess);
    if (address.is_any()) { // here
        const std::uint16_t port = address.port;
        address = InetAddress::loopback_like(address);
        address.port = port;
    }
    return address;
}

} // namespace aios::linux_abi
