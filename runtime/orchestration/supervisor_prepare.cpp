// What a supervisor does first: it reads its description and makes tables of the size that follows from it.
#include "runtime/orchestration/supervisor.hpp"

namespace aios::orchestration {

Result<> Supervisor::prepare() {
    queue_ = TRY(owned(sys::queue_create(self())));
    const Handle bundle = find_handle(startup_, StartupRole::bundle);
    auto file = owned(sys::tree_open(bundle, path_.data(), path_.size()));
    if (!file) {
        fail_with("cannot open the system description in the bundle", path_, file.error());
        return fail(file.error());
    }
    HandleInfo info{};
    description_file_ = std::move(*file);
    TRY(sys::handle_info(description_file_.get(), &info));
    const MapRequest request{0, info.size, 0, kProtectRead};
    const std::uint64_t mapped = TRY(sys::memory_map(description_file_.get(), &request));
    const Bytes bytes(reinterpret_cast<const std::byte*>(mapped), info.size); // SAFETY: mapped above, for the whole run
    manifest_ = crypto::Sha256::hash(bytes);
    TRY(read_description(bytes));
    return source_.prepare(description_);
}

Result<> Supervisor::read_description(Bytes bytes) {
    const auto counted = SystemDescription::count_units(bytes);
    if (!counted) {
        fail_with("the system description cannot be read", path_, counted.error());
        return fail(counted.error());
    }
    const std::size_t count = *counted;
    const std::size_t room = SystemDescription::room_for(count, bytes) + UnitStates::room_for(count) +
                             Arena::room<UnitHandles>(count) + Arena::room<std::uint32_t>(count);
    const std::uint64_t block = TRY(sys::agent_mem_alloc(self(), room, kProtectRead | kProtectWrite));
    Arena arena(MutableBytes(reinterpret_cast<std::byte*>(block), room)); // SAFETY: fresh pages, kept for the whole run

    char why[256];
    std::string_view sentence;
    if (const auto decoded = SystemDescription::decode(bytes, arena, description_, why, sentence); !decoded) {
        finish(false, "{}: {}", path_, sentence);
        return decoded;
    }
    TRY(states_.init(description_, arena));
    units_ = TRY(arena.make<UnitHandles>(count));
    starts_ = TRY(arena.make<std::uint32_t>(count));
    return {};
}

} // namespace aios::orchestration
