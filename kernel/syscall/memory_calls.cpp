// Calls about memory: anonymous mappings, memory objects, frames and registers. See call.hpp.
#include "kernel/dev/resource.hpp"
#include "kernel/object/memory_object.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::syscall::calls {

namespace {

constexpr Rights kMemoryRights =
    rights::read | rights::write | rights::map | rights::inspect | rights::derive | rights::transfer;
constexpr std::uint64_t kMaxFrames = 1024; // contiguous: 4 MiB

Result<arch::Protection> decode_protection(std::uint64_t bits) {
    constexpr std::uint64_t known = kProtectRead | kProtectWrite | kProtectExecute;
    if ((bits & ~known) != 0) return fail(Error::bad_argument);
    arch::Protection protection = arch::Protection::none;
    if ((bits & kProtectRead) != 0) protection = protection | arch::Protection::read;
    if ((bits & kProtectWrite) != 0) protection = protection | arch::Protection::write;
    if ((bits & kProtectExecute) != 0) protection = protection | arch::Protection::execute;
    return protection;
}

Rights rights_for(std::uint64_t protection) {
    Rights needed = rights::map;
    if ((protection & kProtectRead) != 0) needed = needed | rights::read;
    if ((protection & kProtectWrite) != 0) needed = needed | rights::write;
    if ((protection & kProtectExecute) != 0) needed = needed | rights::execute;
    return needed;
}

arch::Protection most_allowed(Rights rights) {
    arch::Protection most = arch::Protection::none;
    if (rights.contains(rights::read)) most = most | arch::Protection::read;
    if (rights.contains(rights::write)) most = most | arch::Protection::write;
    if (rights.contains(rights::execute)) most = most | arch::Protection::execute;
    return most;
}

// Whether the agent may have memory that is written and executed at once, if that is asked for.
cap::Permitted<void> check_jit(Call& call, arch::Protection protection) {
    const bool needs_jit =
        arch::has(protection, arch::Protection::write) && arch::has(protection, arch::Protection::execute);
    if (needs_jit && call.agent.jit() == mm::Jit::no)
        return cap::refuse(Error::missing_right, {ObjectType::agent, rights::jit});
    return {};
}

Result<mm::MapOptions> decode_place(const MapRequest& request) {
    if (request.bytes == 0 || request.bytes > kMaxMemoryBytes) return fail(Error::bad_argument);
    if (request.offset % kPageBytes != 0 || request.address % kPageBytes != 0) return fail(Error::bad_argument);
    mm::MapOptions options;
    if (request.address != 0) {
        if (!arch::is_user_range(request.address, request.bytes)) return fail(Error::bad_address);
        options.address = request.address;
        options.fixed = true;
        options.no_replace = true; // one does not replace by accident; free it first
    }
    return options;
}

} // namespace

Answer agent_mem_alloc(Call& call, Handle, std::uint64_t bytes, std::uint64_t protection) {
    TRY(call.check_self());
    const arch::Protection decoded = TRY(decode_protection(protection));
    TRY(check_jit(call, decoded));
    if (bytes == 0) return fail(Error::bad_argument);
    if (bytes > kMaxMemoryBytes) return fail(Error::too_large);
    return call.memory().map_anonymous(bytes, decoded, mm::ChargeWhen::at_once);
}

Answer agent_mem_free(Call& call, Handle, std::uint64_t address, std::uint64_t bytes) {
    TRY(call.check_self());
    if (address % kPageBytes != 0 || bytes == 0) return fail(Error::bad_argument);
    if (!arch::is_user_range(address, bytes)) return fail(Error::bad_address);
    TRY(call.memory().unmap(address, bytes));
    return 0;
}

Answer agent_pool_alloc(Call& call, Handle, std::uint64_t bytes) {
    TRY(call.check_self());
    if (bytes == 0) return fail(Error::bad_argument);
    if (bytes > kMaxMemoryBytes) return fail(Error::too_large);
    Ref<mm::Pages> pages = TRY(mm::Pages::create(call.quota(), bytes, mm::ChargeWhen::at_once));
    return call.give(TRY(MemoryObject::create(call.quota(), std::move(pages))), kMemoryRights);
}

Answer memory_map(Call& call, Handle, UserIn<MapRequest> user_request) {
    const MapRequest request = TRY(user_request.read());
    const arch::Protection protection = TRY(decode_protection(request.protection));
    mm::MapOptions options = TRY(decode_place(request));
    const Rights needed = rights_for(request.protection);
    if (!call.first.rights.contains(needed)) return cap::refuse(Error::missing_right, {ObjectType::memory, needed});
    TRY(check_jit(call, protection));
    options.maximum = most_allowed(call.first.rights);
    MemoryObject& memory = call.object<MemoryObject>();
    options.authority = call.first.node;
    const std::uint64_t size = memory.pages().page_count() * kPageBytes;
    if (!range_fits(request.offset, TRY(checked_align_up(request.bytes, kPageBytes)), size))
        return fail(Error::bad_argument);
    const std::uint64_t address = TRY(call.memory().map(Ref<mm::Pages>::share(memory.pages()), request.offset,
                                                        request.bytes, protection, mm::Sharing::shared, options));
    // One that ended meanwhile has taken the mapping with it.
    return call.first.node->is_held() ? Answer(address) : fail(Error::revoked);
}

// Contents without a mapping: what was never touched is read as it is, and charged to nobody.
Answer memory_read(Call& call, Handle, std::uint64_t offset, UserOut<std::byte> to, std::uint64_t size) {
    constexpr std::uint64_t kMost = 64 << 10;
    mm::Pages& pages = call.object<MemoryObject>().pages();
    const std::uint64_t bytes = pages.bytes();
    if (offset > bytes) return fail(Error::bad_argument);
    const std::uint64_t wanted = std::min({size, bytes - offset, kMost});
    if (wanted == 0) return 0;
    const auto buffer = TRY(mm::OwnedBytes::make(call.quota(), wanted));
    TRY(pages.read(offset, buffer.data(), wanted)); // bad_argument: cut off meanwhile
    TRY(to.write_array(0, buffer.data(), wanted));
    return wanted;
}

Answer frame_alloc(Call& call, Handle, std::uint64_t frames) {
    if (call.object<DeviceResource>().kind() != DeviceKind::frames) return fail(Error::unsupported);
    if (frames == 0) return fail(Error::bad_argument);
    if (frames > kMaxFrames) return fail(Error::too_large);
    Ref<mm::Pages> pages = TRY(mm::Pages::create_contiguous(call.quota(), frames));
    Ref<MemoryObject> memory = TRY(MemoryObject::create(call.quota(), std::move(pages)));
    call.record->subject = memory->id();
    call.record->detail[0] = frames;
    return call.give(std::move(memory), kMemoryRights);
}

Answer page_map(Call& call, Handle, UserIn<MapRequest> user_request) {
    const auto& device = call.object<DeviceResource>();
    if (device.kind() != DeviceKind::registers) return fail(Error::unsupported);
    const MapRequest request = TRY(user_request.read());
    const arch::Protection protection = TRY(decode_protection(request.protection));
    const mm::MapOptions options = TRY(decode_place(request));
    if (options.fixed || arch::has(protection, arch::Protection::execute)) return fail(Error::bad_argument);
    if (!range_fits(request.offset, TRY(checked_align_up(request.bytes, kPageBytes)), device.range().bytes))
        return fail(Error::bad_argument);
    if (arch::has(protection, arch::Protection::write) && !device.range().writable)
        return cap::refuse(Error::missing_right, {ObjectType::device, rights::write});
    call.record->detail[0] = request.offset;
    call.record->detail[1] = request.bytes;
    call.record->detail[2] = request.protection;
    const std::uint64_t address = TRY(call.memory().map_device({device.range().base.value + request.offset},
                                                               request.bytes, protection, call.first.node));
    return call.first.node->is_held() ? Answer(address) : fail(Error::revoked);
}

} // namespace aios::syscall::calls
