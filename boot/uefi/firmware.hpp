// The loader's view of the running firmware: console, pages, memory map, tables, power. Valid until boot services are
// left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "boot/handoff.hpp"
#include "boot/uefi/efi.hpp"
#include "boot/uefi/memory.hpp"

namespace aios::efi {

inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kFourGib = 4ull << 30;

class Firmware;

// Pages from the firmware; given back when the holder ends, so that a refused start leaves nothing behind.
class Pages {
public:
    Pages() = default;
    Pages(Firmware& firmware, std::uint64_t base, std::size_t pages)
        : firmware_(&firmware), base_(base), pages_(pages) {}
    Pages(Pages&& other) noexcept : firmware_(other.firmware_), base_(other.base_), pages_(other.pages_) {
        other.pages_ = 0;
    }
    Pages& operator=(Pages&& other) noexcept;
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    ~Pages();

    [[nodiscard]] std::uint64_t base() const { return base_; }
    [[nodiscard]] std::uint64_t bytes() const { return pages_ * kPage; }
    [[nodiscard]] std::span<std::uint8_t> span() const;

private:
    Firmware* firmware_ = nullptr;
    std::uint64_t base_ = 0;
    std::size_t pages_ = 0;
};

// The firmware's memory map at one moment, and room for it to grow while it is read again.
struct MapSnapshot {
    Pages descriptors;
    Pages range_room;
    std::size_t bytes = 0;
    std::size_t descriptor_bytes = 0;
    std::size_t key = 0;

    // Decodes into range_room; the span is valid until the next call.
    [[nodiscard]] Result<std::span<boot::MemoryRange>> ranges(MapMoment moment) const;
};

class Firmware {
public:
    Firmware(Handle image, SystemTable& system) : image_(image), system_(system) {}

    // Prints the parts as one line, in ASCII, with a line end unless `ending` says otherwise.
    enum class Ending : std::uint8_t { line, none };
    void print(std::initializer_list<std::string_view> parts, Ending ending = Ending::line);

    // Prints "aios-loader: SUBJECT: REASON" and returns `error`: how every step of the loader fails.
    [[nodiscard]] std::unexpected<Error> refuse(std::string_view subject, std::string_view reason, Error error);

    // Pages of loader data: anywhere below `limit`, or exactly at `base`. Errors: out_of_memory.
    [[nodiscard]] Result<Pages> pages_below(std::uint64_t limit, std::uint64_t bytes);
    [[nodiscard]] Result<Pages> pages_at(std::uint64_t base, std::uint64_t bytes);
    void pages_free(std::uint64_t base, std::size_t pages);

    // Reads the map, with new room if `snapshot` has too little. Errors: out_of_memory, device.
    [[nodiscard]] Result<> map_read(MapSnapshot& snapshot);
    // Leaves boot services. Errors: busy (the map has changed since `key`: read it again).
    [[nodiscard]] Result<> exit(std::size_t key);

    // The table that the firmware registered under `guid`, or 0.
    [[nodiscard]] std::uint64_t configuration_table(const Guid& guid) const;
    // 32 bytes from the random number protocol, if the firmware has one.
    [[nodiscard]] bool random(std::span<std::uint8_t> out);
    // The wall clock's second of the minute, for progress; 0 if there is no clock.
    [[nodiscard]] std::uint8_t second();
    [[nodiscard]] Result<FileProtocol*> boot_volume();

    // Ends a start that was refused: a virtual machine is powered off, because nobody sits before it; on hardware the
    // status goes back to the firmware, which tries its next boot entry.
    [[nodiscard]] Status end(Error error);

private:
    Handle image_;
    SystemTable& system_;
};

} // namespace aios::efi
