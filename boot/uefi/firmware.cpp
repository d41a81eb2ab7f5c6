// Calls into the firmware; see firmware.hpp.
#include "boot/uefi/firmware.hpp"

#include "boot/uefi/cpu.hpp"

namespace aios::efi {
namespace {

constexpr std::size_t kSpareDescriptors = 64;

std::size_t pages_for(std::uint64_t bytes) { return static_cast<std::size_t>((bytes + kPage - 1) / kPage); }

// The few distinctions that a firmware's boot manager makes; to it everything else means that this image did not load.
Status status_of(Error error) {
    if (error == Error::not_found) return Status::not_found;
    if (error == Error::out_of_memory) return Status::out_of_resources;
    if (error == Error::device) return Status::device_error;
    if (error == Error::unsupported) return Status::unsupported;
    return Status::load_error;
}

} // namespace

Pages& Pages::operator=(Pages&& other) noexcept {
    if (this == &other) return *this;
    if (pages_ != 0) firmware_->pages_free(base_, pages_);
    firmware_ = other.firmware_;
    base_ = other.base_;
    pages_ = other.pages_;
    other.pages_ = 0;
    return *this;
}

Pages::~Pages() {
    if (pages_ != 0) firmware_->pages_free(base_, pages_);
}

std::span<std::uint8_t> Pages::span() const {
    // SAFETY: UEFI maps all memory onto itself, and these pages are this holder's alone.
    return {reinterpret_cast<std::uint8_t*>(base_), static_cast<std::size_t>(bytes())};
}

Result<std::span<boot::MemoryRange>> MapSnapshot::ranges(MapMoment moment) const {
    // SAFETY: range_room is page aligned and holds nothing but these ranges.
    std::span<boot::MemoryRange> room(reinterpret_cast<boot::MemoryRange*>(range_room.base()),
                                      static_cast<std::size_t>(range_room.bytes()) / sizeof(boot::MemoryRange));
    return room.first(TRY(memory_ranges_read(descriptors.span().first(bytes), descriptor_bytes, moment, room)));
}

void Firmware::print(std::initializer_list<std::string_view> parts, Ending ending) {
    char16_t line[128]; // printed in pieces, so any length goes
    std::size_t used = 0;
    auto put = [&](char16_t c) {
        if (used == std::size(line) - 1) {
            line[used] = 0;
            system_.console_out->output_string(system_.console_out, line);
            used = 0;
        }
        line[used++] = c;
    };
    for (std::string_view part : parts)
        for (char c : part)
            put(c >= ' ' && c <= '~' ? static_cast<char16_t>(c) : u'?');
    if (ending == Ending::line) {
        put(u'\r');
        put(u'\n');
    }
    line[used] = 0;
    system_.console_out->output_string(system_.console_out, line);
}

std::unexpected<Error> Firmware::refuse(std::string_view subject, std::string_view reason, Error error) {
    print({"aios-loader: ", subject, ": ", reason});
    return fail(error);
}

Result<Pages> Firmware::pages_below(std::uint64_t limit, std::uint64_t bytes) {
    PhysicalAddress base = limit - 1;
    if (system_.boot->allocate_pages(AllocateType::max_address, MemoryType::loader_data, pages_for(bytes), &base) !=
        Status::success)
        return fail(Error::out_of_memory);
    return Pages(*this, base, pages_for(bytes));
}

Result<Pages> Firmware::pages_at(std::uint64_t base, std::uint64_t bytes) {
    PhysicalAddress at = base;
    if (system_.boot->allocate_pages(AllocateType::address, MemoryType::loader_data, pages_for(bytes), &at) !=
        Status::success)
        return fail(Error::out_of_memory);
    return Pages(*this, at, pages_for(bytes));
}

void Firmware::pages_free(std::uint64_t base, std::size_t pages) { system_.boot->free_pages(base, pages); }

Result<> Firmware::map_read(MapSnapshot& snapshot) {
    // Twice: getting room for the map can itself split a range.
    for (int i = 0; i < 3; ++i) {
        std::uint32_t version = 0;
        snapshot.bytes = static_cast<std::size_t>(snapshot.descriptors.bytes());
        void* room = snapshot.bytes != 0 ? snapshot.descriptors.span().data() : nullptr;
        Status status =
            system_.boot->get_memory_map(&snapshot.bytes, room, &snapshot.key, &snapshot.descriptor_bytes, &version);
        if (status == Status::success) return {};
        if (status != Status::buffer_too_small || snapshot.descriptor_bytes < sizeof(MemoryDescriptor))
            return fail(Error::device);
        std::size_t descriptors = snapshot.bytes / snapshot.descriptor_bytes + kSpareDescriptors;
        snapshot.descriptors = TRY(pages_below(kFourGib, descriptors * snapshot.descriptor_bytes));
        // As many ranges as descriptors fit into the whole pages of room, and one for page 0.
        std::uint64_t most = snapshot.descriptors.bytes() / snapshot.descriptor_bytes + 2;
        snapshot.range_room = TRY(pages_below(kFourGib, most * sizeof(boot::MemoryRange)));
    }
    return fail(Error::device);
}

Result<> Firmware::exit(std::size_t key) {
    if (system_.boot->exit_boot_services(image_, key) != Status::success) return fail(Error::busy);
    return {};
}

std::uint64_t Firmware::configuration_table(const Guid& guid) const {
    for (std::size_t i = 0; i < system_.configuration_count; ++i)
        // SAFETY: the table's address is handed on as a number, and not followed here.
        if (system_.configuration[i].guid == guid)
            return reinterpret_cast<std::uint64_t>(system_.configuration[i].table);
    return 0;
}

bool Firmware::random(std::span<std::uint8_t> out) {
    void* found = nullptr;
    if (system_.boot->locate_protocol(&kRngGuid, nullptr, &found) != Status::success) return false;
    Rng* rng = static_cast<Rng*>(found);
    return rng->get_rng(rng, nullptr, out.size(), out.data()) == Status::success;
}

std::uint8_t Firmware::second() {
    Time time{};
    if (system_.runtime->get_time(&time, nullptr) != Status::success) return 0;
    return time.second;
}

Result<FileProtocol*> Firmware::boot_volume() {
    void* found = nullptr;
    if (system_.boot->handle_protocol(image_, &kLoadedImageGuid, &found) != Status::success)
        return fail(Error::not_found);
    Handle device = static_cast<LoadedImage*>(found)->device;
    if (device == nullptr || system_.boot->handle_protocol(device, &kFileSystemGuid, &found) != Status::success)
        return fail(Error::not_found);
    FileSystem* file_system = static_cast<FileSystem*>(found);
    FileProtocol* root = nullptr;
    if (file_system->open_volume(file_system, &root) != Status::success) return fail(Error::device);
    return root;
}

Status Firmware::end(Error error) {
    Status status = status_of(error);
    if (cpu_under_hypervisor()) {
        print({"aios-loader: the machine is powered off"});
        system_.runtime->reset_system(ResetType::shutdown, status, 0, nullptr);
    }
    return status;
}

} // namespace aios::efi
