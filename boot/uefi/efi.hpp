// The part of the UEFI 2.10 specification that the loader uses, written from the specification. Names follow it
// loosely: the section is given with each type. Members that are not used are kept as opaque pointers, so that offsets
// are right.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aios::efi {

// Section 2.3.4: x64 calls follow the Microsoft convention.
#define AIOS_EFI_CALL [[gnu::ms_abi]]

using Handle = void*;
using Unused = void*;
using PhysicalAddress = std::uint64_t;

// Appendix D.
enum class Status : std::uint64_t {
    success = 0,
    load_error = 1ull << 63 | 1,
    invalid_parameter = 1ull << 63 | 2,
    unsupported = 1ull << 63 | 3,
    buffer_too_small = 1ull << 63 | 5,
    device_error = 1ull << 63 | 7,
    out_of_resources = 1ull << 63 | 9,
    not_found = 1ull << 63 | 14,
};

struct Guid {
    std::uint32_t a;
    std::uint16_t b;
    std::uint16_t c;
    std::uint8_t d[8];

    friend bool operator==(const Guid& left, const Guid& right) {
        for (std::size_t i = 0; i < sizeof(d); ++i)
            if (left.d[i] != right.d[i]) return false;
        return left.a == right.a && left.b == right.b && left.c == right.c;
    }
};

inline constexpr Guid kLoadedImageGuid{0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
inline constexpr Guid kFileSystemGuid{0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
inline constexpr Guid kFileInfoGuid{0x09576e92, 0x6d3f, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
inline constexpr Guid kRngGuid{0x3152bca5, 0xeade, 0x433d, {0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44}};
inline constexpr Guid kAcpi20Guid{0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
inline constexpr Guid kAcpi10Guid{0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};

struct TableHeader { // section 4.2
    std::uint64_t signature;
    std::uint32_t revision;
    std::uint32_t header_size;
    std::uint32_t crc32;
    std::uint32_t reserved;
};

struct TextOutput { // section 12.4
    Unused reset;
    AIOS_EFI_CALL Status (*output_string)(TextOutput*, const char16_t*);
};

// Section 7.2: AllocatePages and GetMemoryMap.
enum class AllocateType : std::uint32_t { any_pages = 0, max_address = 1, address = 2 };
enum class MemoryType : std::uint32_t {
    reserved = 0,
    loader_code = 1,
    loader_data = 2,
    boot_services_code = 3,
    boot_services_data = 4,
    runtime_services_code = 5,
    runtime_services_data = 6,
    conventional = 7,
    unusable = 8,
    acpi_reclaim = 9,
    acpi_nvs = 10,
    mapped_io = 11,
    mapped_io_port_space = 12,
    pal_code = 13,
    persistent = 14,
    unaccepted = 15,
};

struct MemoryDescriptor { // the firmware's stride between descriptors may be larger
    MemoryType type;
    std::uint32_t pad;
    PhysicalAddress physical_start;
    std::uint64_t virtual_start;
    std::uint64_t pages;
    std::uint64_t attribute;
};
static_assert(sizeof(MemoryDescriptor) == 40);

struct BootServices { // section 4.4
    TableHeader header;
    Unused raise_tpl, restore_tpl;
    AIOS_EFI_CALL Status (*allocate_pages)(AllocateType, MemoryType, std::size_t pages, PhysicalAddress*);
    AIOS_EFI_CALL Status (*free_pages)(PhysicalAddress, std::size_t pages);
    AIOS_EFI_CALL Status (*get_memory_map)(std::size_t* bytes, void* map, std::size_t* key,
                                           std::size_t* descriptor_bytes, std::uint32_t* descriptor_version);
    Unused allocate_pool, free_pool;
    Unused create_event, set_timer, wait_for_event, signal_event, close_event, check_event;
    Unused install_protocol_interface, reinstall_protocol_interface, uninstall_protocol_interface;
    AIOS_EFI_CALL Status (*handle_protocol)(Handle, const Guid*, void** interface);
    Unused reserved, register_protocol_notify, locate_handle, locate_device_path, install_configuration_table;
    Unused load_image, start_image, exit, unload_image;
    AIOS_EFI_CALL Status (*exit_boot_services)(Handle image, std::size_t key);
    Unused get_next_monotonic_count;
    AIOS_EFI_CALL Status (*stall)(std::size_t microseconds);
    Unused set_watchdog_timer, connect_controller, disconnect_controller, open_protocol, close_protocol;
    Unused open_protocol_information, protocols_per_handle, locate_handle_buffer;
    AIOS_EFI_CALL Status (*locate_protocol)(const Guid*, void* registration, void** interface);
};
static_assert(offsetof(BootServices, exit_boot_services) == 24 + 26 * 8);
static_assert(offsetof(BootServices, locate_protocol) == 24 + 37 * 8);

struct Time { // section 8.3
    std::uint16_t year;
    std::uint8_t month, day, hour, minute, second, pad1;
    std::uint32_t nanosecond;
    std::int16_t time_zone;
    std::uint8_t daylight, pad2;
};
static_assert(sizeof(Time) == 16);

enum class ResetType : std::uint32_t { cold = 0, warm = 1, shutdown = 2 };

struct RuntimeServices { // section 4.5
    TableHeader header;
    AIOS_EFI_CALL Status (*get_time)(Time*, void* capabilities);
    Unused set_time, get_wakeup_time, set_wakeup_time, set_virtual_address_map, convert_pointer;
    Unused get_variable, get_next_variable_name, set_variable, get_next_high_monotonic_count;
    AIOS_EFI_CALL void (*reset_system)(ResetType, Status, std::size_t data_bytes, void* data);
};
static_assert(offsetof(RuntimeServices, reset_system) == 24 + 10 * 8);

struct ConfigurationTable { // section 4.6
    Guid guid;
    void* table;
};

struct SystemTable { // section 4.3
    TableHeader header;
    char16_t* firmware_vendor;
    std::uint32_t firmware_revision;
    Handle console_in_handle;
    Unused console_in;
    Handle console_out_handle;
    TextOutput* console_out;
    Handle standard_error_handle;
    TextOutput* standard_error;
    RuntimeServices* runtime;
    BootServices* boot;
    std::size_t configuration_count;
    ConfigurationTable* configuration;
};
static_assert(offsetof(SystemTable, configuration) == 112);

struct LoadedImage { // section 9.1
    std::uint32_t revision;
    Handle parent;
    SystemTable* system;
    Handle device;
};

inline constexpr std::uint64_t kFileModeRead = 1;
inline constexpr std::uint64_t kFileAttributeDirectory = 0x10;

struct FileProtocol { // section 13.5
    std::uint64_t revision;
    AIOS_EFI_CALL Status (*open)(FileProtocol*, FileProtocol** opened, const char16_t* name, std::uint64_t mode,
                                 std::uint64_t attributes);
    AIOS_EFI_CALL Status (*close)(FileProtocol*);
    Unused remove;
    AIOS_EFI_CALL Status (*read)(FileProtocol*, std::size_t* bytes, void* buffer);
    Unused write, get_position;
    AIOS_EFI_CALL Status (*set_position)(FileProtocol*, std::uint64_t position);
    AIOS_EFI_CALL Status (*get_info)(FileProtocol*, const Guid*, std::size_t* bytes, void* buffer);
};

struct FileInfo { // section 13.5; the name follows
    std::uint64_t size;
    std::uint64_t file_size;
    std::uint64_t physical_size;
    Time created, accessed, modified;
    std::uint64_t attribute;
};
static_assert(sizeof(FileInfo) == 80);

struct FileSystem { // section 13.4
    std::uint64_t revision;
    AIOS_EFI_CALL Status (*open_volume)(FileSystem*, FileProtocol** root);
};

struct Rng { // section 37.5
    Unused get_info;
    AIOS_EFI_CALL Status (*get_rng)(Rng*, const Guid* algorithm, std::size_t bytes, std::uint8_t* value);
};

} // namespace aios::efi
