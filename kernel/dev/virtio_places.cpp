// See virtio_places.hpp.
#include "kernel/dev/virtio_places.hpp"

#include <optional>

namespace aios::dev {
namespace {

constexpr std::string_view kWord = "virtio_mmio.device=";

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 16;
}

// The number at the start of `text`, which it is cut off from; nothing if there is none or it does not fit.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    }
    if (text.empty() || digit_of(text.front()) >= base) return std::nullopt;
    std::uint64_t value = 0;
    while (!text.empty() && digit_of(text.front()) < base) {
        if (__builtin_mul_overflow(value, static_cast<std::uint64_t>(base), &value) ||
            __builtin_add_overflow(value, static_cast<std::uint64_t>(digit_of(text.front())), &value))
            return std::nullopt;
        text.remove_prefix(1);
    }
    unsigned shift = 0;
    if (!text.empty() && (text.front() == 'K' || text.front() == 'k')) shift = 10;
    if (!text.empty() && (text.front() == 'M' || text.front() == 'm')) shift = 20;
    if (!text.empty() && (text.front() == 'G' || text.front() == 'g')) shift = 30;
    if (shift != 0) text.remove_prefix(1);
    if ((value << shift) >> shift != value) return std::nullopt;
    return value << shift;
}

std::optional<VirtioPlace> place_of(std::string_view value) {
    const auto bytes = take_number(value);
    if (!bytes || !value.starts_with('@')) return std::nullopt;
    value.remove_prefix(1);
    const auto base = take_number(value);
    if (!base || !value.starts_with(':')) return std::nullopt; // the line, which is not asked for: devices are polled
    return VirtioPlace{*base, *bytes};
}

// Room for the registers, at an address that a processor can have (52 bits) and they can stand at.
bool may_be_device(const VirtioPlace& place) {
    constexpr std::uint64_t kLimit = 1ull << 52;
    if (place.base == 0 || place.base % 4 != 0 || place.base >= kLimit) return false;
    return place.bytes >= kVirtioMmioBytes && place.bytes <= kLimit - place.base;
}

} // namespace

void add_virtio_place(VirtioPlaces& places, const VirtioPlace& place) {
    if (!may_be_device(place)) return;
    for (const VirtioPlace& known : places) {
        if (known.base == place.base) return;
    }
    (void)places.push_back(place);
}

void read_virtio_words(std::string_view command_line, VirtioPlaces& places) {
    while (!command_line.empty()) {
        const std::size_t space = command_line.find(' ');
        std::string_view word = command_line.substr(0, space);
        command_line.remove_prefix(space == std::string_view::npos ? command_line.size() : space + 1);
        if (!word.starts_with(kWord)) continue;
        word.remove_prefix(kWord.size());
        if (const auto place = place_of(word)) add_virtio_place(places, *place);
    }
}

} // namespace aios::dev
