// What is read from the DSDT without running its code (ACPI specification 6.5 chapter 20): the sleep type of \_S5 and
// the memory of virtio devices. Both are found by their encoding; what is encoded otherwise is not found.
#include <optional>

#include "kernel/dev/acpi_field.hpp"

namespace aios::dev {
namespace {

// A virtio device's description is short; longer ones are not searched, so that the time stays in proportion to the
// table.
constexpr std::size_t kMostDeviceBytes = 1024;

// A package length (20.2.4): the bytes it takes, or nothing if they are not there.
std::optional<std::size_t> package_length_bytes(Bytes aml, std::size_t position) {
    if (position >= aml.size()) return std::nullopt;
    return 1 + (static_cast<std::size_t>(aml[position]) >> 6);
}

// A small constant (20.2.3): ZeroOp, OneOp, or BytePrefix and a byte. Moves `position` past it.
std::optional<std::uint8_t> small_constant(Bytes aml, std::size_t& position) {
    if (position >= aml.size()) return std::nullopt;
    const auto op = static_cast<std::uint8_t>(aml[position++]);
    if (op <= 1) return op;
    if (op != 0x0a || position >= aml.size()) return std::nullopt;
    return static_cast<std::uint8_t>(aml[position++]);
}

// The body of a package that starts at `position` with its length (20.2.4), the length's own bytes left out.
std::optional<Bytes> package_body(Bytes aml, std::size_t position) {
    const auto head = package_length_bytes(aml, position);
    if (!head || *head > aml.size() - position) return std::nullopt;
    std::size_t length = static_cast<std::size_t>(aml[position]) & (*head == 1 ? 0x3f : 0x0f);
    for (std::size_t i = 1; i < *head; ++i)
        length |= static_cast<std::size_t>(aml[position + i]) << (4 + 8 * (i - 1));
    if (length < *head || length > aml.size() - position) return std::nullopt;
    return aml.subspan(position + *head, length - *head);
}

// Where `what` stands in `text`; its size if it does not.
std::size_t find_bytes(Bytes text, std::string_view what) {
    const std::size_t at = as_text(text).find(what);
    return at == std::string_view::npos ? text.size() : at;
}

// The first fixed range of memory of a resource template (6.4.3.4).
std::optional<VirtioPlace> first_memory(Bytes resources) {
    constexpr std::uint8_t kFixedMemory32 = 0x86;
    for (std::size_t i = 0; i < resources.size();) {
        const auto tag = static_cast<std::uint8_t>(resources[i]);
        if ((tag & 0x80) == 0) { // small: the length is in the tag; 0x79 ends the list
            if ((tag & 0x78) == 0x78) return std::nullopt;
            i += 1 + (tag & 7);
            continue;
        }
        const auto length = acpi_field<std::uint16_t>(resources, i + 1);
        if (!length) return std::nullopt;
        if (tag == kFixedMemory32) {
            const auto base = acpi_field<std::uint32_t>(resources, i + 4),
                       bytes = acpi_field<std::uint32_t>(resources, i + 8);
            if (!base || !bytes) return std::nullopt;
            return VirtioPlace{*base, *bytes};
        }
        i += 3 + std::size_t{*length};
    }
    return std::nullopt;
}

// The memory of one Device's body, if it is a virtio device: Name (_HID, "LNRO0005") and Name (_CRS, Buffer {...}).
std::optional<VirtioPlace> virtio_device(Bytes body) {
    if (find_bytes(body, std::string_view("_HID\x0dLNRO0005\0", 14)) == body.size()) return std::nullopt;
    const std::size_t crs = find_bytes(body, "_CRS\x11"); // BufferOp
    if (crs == body.size()) return std::nullopt;
    const auto buffer = package_body(body, crs + 5);
    if (!buffer || buffer->empty()) return std::nullopt;
    // The buffer's size (20.2.3): a byte, a word or a double word behind its prefix; then the bytes.
    std::size_t skip = 0;
    switch (static_cast<std::uint8_t>((*buffer)[0])) {
    case 0x0a:
        skip = 2;
        break;
    case 0x0b:
        skip = 3;
        break;
    case 0x0c:
        skip = 5;
        break;
    default:
        return std::nullopt;
    }
    if (skip > buffer->size()) return std::nullopt;
    return first_memory(buffer->subspan(skip));
}

} // namespace

Result<> acpi_find_s5(Bytes dsdt, AcpiFacts& facts) { // 7.4.2, 20.2.5.1: Name (\_S5, Package () {type a, type b, ...})
    for (std::size_t i = kAcpiHeaderBytes; i + 8 <= dsdt.size(); ++i) {
        if (as_text(dsdt.subspan(i, 4)) != "_S5_") continue;
        const auto before = static_cast<std::uint8_t>(dsdt[i - 1]);
        const auto earlier = static_cast<std::uint8_t>(dsdt[i - 2]);
        if (before != 0x08 && !(before == '\\' && earlier == 0x08)) continue; // NameOp
        if (static_cast<std::uint8_t>(dsdt[i + 4]) != 0x12) continue;         // PackageOp
        const auto length = package_length_bytes(dsdt, i + 5);
        if (!length) return fail(Error::truncated);
        std::size_t position = i + 5 + *length + 1; // and the number of elements
        const auto a = small_constant(dsdt, position);
        if (!a || *a > 7) return fail(Error::bad_format);
        const auto b = small_constant(dsdt, position);
        facts.sleep_type_a = a;
        facts.sleep_type_b = b && *b <= 7 ? *b : *a;
        return {};
    }
    return fail(Error::not_found);
}

void acpi_find_virtio(Bytes dsdt, AcpiFacts& facts) { // 20.2.5.2: Device = ExtOpPrefix 0x82 PkgLength Name ...
    for (std::size_t i = kAcpiHeaderBytes; i + 2 < dsdt.size(); ++i) {
        if (static_cast<std::uint8_t>(dsdt[i]) != 0x5b || static_cast<std::uint8_t>(dsdt[i + 1]) != 0x82) continue;
        const auto body = package_body(dsdt, i + 2);
        if (!body || body->size() > kMostDeviceBytes) continue;
        if (const auto place = virtio_device(*body)) add_virtio_place(facts.virtio, *place);
    }
}

void acpi_read_dsdt(Bytes dsdt, AcpiFacts& facts) {
    (void)acpi_find_s5(dsdt, facts); // without it there is no switching off, which is checked where it is used
    acpi_find_virtio(dsdt, facts);
}

} // namespace aios::dev
