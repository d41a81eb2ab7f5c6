// Memory calls: anonymous memory, pools, mappings, frames, registers; trees and the log.
#include "tests/guest/test.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::uint64_t kRw = kProtectRead | kProtectWrite;

std::uint64_t* words_at(std::uint64_t address) {
    return reinterpret_cast<std::uint64_t*>(address); // SAFETY: what the kernel has just mapped for us
}

void test_alloc_free() {
    const std::uint64_t before = info_of(self).memory_bytes;
    const std::uint64_t a = GET(sys::agent_mem_alloc(self, 3 * 4096 + 1, kRw));
    CHECK(a % 4096 == 0);
    std::uint64_t* words = words_at(a);
    bool zero = true;
    for (unsigned i = 0; i < 4 * 512; ++i) {
        zero = zero && words[i] == 0;
        words[i] = i;
    }
    CHECK(zero && words[2047] == 2047);
    CHECK(info_of(self).memory_bytes >= before + 4 * 4096);
    GET(sys::agent_mem_free(self, a, 4 * 4096));
    HandleInfo* gone = reinterpret_cast<HandleInfo*>(a); // SAFETY: unmapped; the kernel must notice
    CHECK_ERROR(sys::handle_info(self, gone), bad_address);
    GET(sys::agent_mem_free(self, a, 4096)); // freeing what is not there is no error
    const std::uint64_t again = info_of(self).memory_bytes;
    const std::uint64_t b = GET(sys::agent_mem_alloc(self, 1 << 20, kRw));
    words_at(b)[0] = 1;
    GET(sys::agent_mem_free(self, b, 1 << 20));
    CHECK(info_of(self).memory_bytes <= again + 3 * 4096); // page tables may stay for the next mapping
}

void test_alloc_limits() {
    CHECK_ERROR(sys::agent_mem_alloc(self, 0, kRw), bad_argument);
    CHECK_ERROR(sys::agent_mem_alloc(self, kMaxMemoryBytes + 1, kRw), too_large);
    CHECK_ERROR(sys::agent_mem_alloc(self, ~0ull, kRw), too_large);
    CHECK_ERROR(sys::agent_mem_alloc(self, kMaxMemoryBytes, kRw), quota_exceeded);
    CHECK_ERROR(sys::agent_mem_alloc(self, 4096, 8), bad_argument);
    CHECK_ERROR(sys::agent_mem_free(self, 1, 4096), bad_argument);
    CHECK_ERROR(sys::agent_mem_free(self, 0x100000, 0), bad_argument);
    CHECK_ERROR(sys::agent_mem_free(self, 0, 4096), bad_address);
    CHECK_ERROR(sys::agent_mem_free(self, 0xffff'8000'0000'0000, 4096), bad_address);
    CHECK_ERROR(sys::agent_mem_free(self, 0x7fff'ffff'e000, 1 << 20), bad_address);
}

void test_pool() {
    CHECK_ERROR(sys::agent_pool_alloc(self, 0), bad_argument);
    CHECK_ERROR(sys::agent_pool_alloc(self, kMaxMemoryBytes + 1), too_large);
    CHECK_ERROR(sys::agent_pool_alloc(self, kMaxMemoryBytes), quota_exceeded);
    const OwnedHandle memory(GET(sys::agent_pool_alloc(self, 10'000)));
    HandleInfo info{};
    GET(sys::handle_info(memory.get(), &info));
    CHECK(info.size == 10'000 && info.type == static_cast<std::uint32_t>(ObjectType::memory));
    // Two mappings show the same pages.
    const MapRequest whole{0, 3 * 4096, 0, kRw};
    const MapRequest tail{8192, 4096, 0, kProtectRead};
    const std::uint64_t a = GET(sys::memory_map(memory.get(), &whole));
    const std::uint64_t b = GET(sys::memory_map(memory.get(), &tail));
    words_at(a)[1024] = 0x1234;
    CHECK(words_at(b)[0] == 0x1234);
    GET(sys::agent_mem_free(self, a, 3 * 4096));
    CHECK(words_at(b)[0] == 0x1234);
    GET(sys::agent_mem_free(self, b, 4096));
}

void test_map_arguments() {
    const OwnedHandle memory(GET(sys::agent_pool_alloc(self, 8192)));
    const auto map = [&](MapRequest request) { return sys::memory_map(memory.get(), &request); };
    CHECK_ERROR(map({0, 0, 0, kRw}), bad_argument);
    CHECK_ERROR(map({1, 4096, 0, kRw}), bad_argument);
    CHECK_ERROR(map({0, 4096, 5, kRw}), bad_argument);
    CHECK_ERROR(map({4096, 8192, 0, kRw}), bad_argument);
    CHECK_ERROR(map({~0ull & ~4095ull, 4096, 0, kRw}), bad_argument);
    CHECK_ERROR(map({0, ~0ull, 0, kRw}), bad_argument);
    CHECK_ERROR(map({0, 4096, 0, 16}), bad_argument);
    CHECK_ERROR(map({0, 4096, 0xffff'8000'0000'0000, kRw}), bad_address);
    CHECK_ERROR(map({0, 4096, 4096, kRw}), bad_address);
    CHECK_ERROR(map({0, 4096, 0, kProtectRead | kProtectExecute}), missing_right);
    for (const std::uint64_t address : kBadAddresses)
        CHECK_ERROR(sys::memory_map(memory.get(), bad_pointer<MapRequest>(address)), bad_address);
    // A wanted place is taken exactly, once.
    const std::uint64_t place = 0x5000'0000;
    CHECK(GET(map({0, 4096, place, kRw})) == place);
    CHECK_ERROR(map({0, 4096, place, kRw}), already_exists);
    GET(sys::agent_mem_free(self, place, 4096));
    // Rights bound what can be mapped.
    const OwnedHandle reader(GET(sys::handle_derive(memory.get(), (rights::map | rights::read).bits())));
    const MapRequest write{0, 4096, 0, kRw}, read{0, 4096, 0, kProtectRead};
    CHECK_ERROR(sys::memory_map(reader.get(), &write), missing_right);
    GET(sys::agent_mem_free(self, GET(sys::memory_map(reader.get(), &read)), 4096));
}

// A mapping goes with the handle that it was made through: else whoever closes its handle could not be revoked.
void test_close_unmaps() {
    const auto is_mapped = [](std::uint64_t place) {
        const auto opened = sys::tree_open(handle(StartupRole::bundle), bad_pointer<const char>(place), 4);
        return !opened && opened.error() != Error::bad_address;
    };
    OwnedHandle memory(GET(sys::agent_pool_alloc(self, 4096)));
    OwnedHandle second(GET(sys::handle_derive(memory.get(), (rights::map | rights::read | rights::write).bits())));
    const MapRequest request{0, 4096, 0, kRw};
    const std::uint64_t place = GET(sys::memory_map(second.get(), &request));
    const std::uint64_t own = GET(sys::agent_mem_alloc(self, 4096, kRw));
    const std::uint64_t through_first = GET(sys::memory_map(memory.get(), &request));
    second.reset();
    CHECK(!is_mapped(place)); // though the other handle allows as much
    CHECK(is_mapped(through_first));
    memory.reset();
    CHECK(!is_mapped(through_first));
    CHECK(is_mapped(own));
    GET(sys::agent_mem_free(self, own, 4096));
}

void test_frames() {
    const Handle device = handle(StartupRole::frames);
    CHECK_ERROR(sys::frame_alloc(device, 0), bad_argument);
    CHECK_ERROR(sys::frame_alloc(device, 1025), too_large);
    CHECK_ERROR(sys::frame_alloc(handle(StartupRole::console), 1), unsupported);
    const OwnedHandle frames(GET(sys::frame_alloc(device, 16)));
    const MapRequest request{0, 16 * 4096, 0, kRw};
    const std::uint64_t a = GET(sys::memory_map(frames.get(), &request));
    bool zero = true;
    for (unsigned i = 0; i < 16 * 512; ++i) {
        zero = zero && words_at(a)[i] == 0;
        words_at(a)[i] = ~0ull;
    }
    CHECK(zero);
    GET(sys::agent_mem_free(self, a, 16 * 4096));
}

void test_registers() {
    const Handle device = handle(StartupRole::registers);
    if (device == kNoHandle) return skip("registers", "the machine has no HPET");
    const auto map = [&](MapRequest request) { return sys::page_map(device, &request); };
    CHECK_ERROR(map({0, 4096, 0, kRw}), missing_right);
    CHECK_ERROR(map({0, 8192, 0, kProtectRead}), bad_argument);
    CHECK_ERROR(map({4096, 4096, 0, kProtectRead}), bad_argument);
    CHECK_ERROR(map({0, 4096, 0, kProtectRead | kProtectExecute}), bad_argument);
    const MapRequest wrong{0, 4096, 0, kProtectRead};
    CHECK_ERROR(sys::page_map(handle(StartupRole::frames), &wrong), unsupported);
    for (const std::uint64_t address : kBadAddresses)
        CHECK_ERROR(sys::page_map(device, bad_pointer<MapRequest>(address)), bad_address);
    const std::uint64_t a = GET(map({0, 4096, 0, kProtectRead}));
    // General capabilities of the HPET: a counter period between 0.1 ns and 100 ns (IA-PC HPET 1.0a section 2.3.4).
    const std::uint64_t period = *static_cast<volatile std::uint64_t*>(words_at(a)) >> 32;
    CHECK(period >= 100'000 && period <= 100'000'000);
    GET(sys::agent_mem_free(self, a, 4096));
}

void test_trees() {
    const Handle bundle = handle(StartupRole::bundle);
    TreeEntry entry{};
    GET(sys::tree_list(bundle, 0, &entry));
    CHECK(entry.name_bytes != 0);
    CHECK_ERROR(sys::tree_list(bundle, 1'000'000, &entry), not_found);
    for (const std::uint64_t address : kBadAddresses) {
        CHECK_ERROR(sys::tree_list(bundle, 0, bad_pointer<TreeEntry>(address)), bad_address);
        CHECK_ERROR(sys::tree_open(bundle, bad_pointer<const char>(address), 4), bad_address);
    }
    constexpr std::string_view own = "bin/test_memory";
    const OwnedHandle file(GET(sys::tree_open(bundle, own.data(), own.size())));
    const MapRequest read{0, 4096, 0, kProtectRead};
    const MapRequest write{0, 4096, 0, kRw};
    const std::uint64_t a = GET(sys::memory_map(file.get(), &read));
    CHECK((words_at(a)[0] & 0xffff'ffff) == 0x464c'457f); // ELF
    CHECK_ERROR(sys::memory_map(file.get(), &write), missing_right);
    GET(sys::agent_mem_free(self, a, 4096));
    HandleInfo size{};
    GET(sys::handle_info(file.get(), &size));
    static char start[100'000];
    CHECK(GET(sys::memory_read(file.get(), 0, start, sizeof(start))) == 64 << 10);
    CHECK(start[1] == 'E' && start[2] == 'L' && start[3] == 'F');
    CHECK(GET(sys::memory_read(file.get(), size.size - 3, start, 100)) == 3);
    CHECK(GET(sys::memory_read(file.get(), size.size, start, 100)) == 0);
    CHECK_ERROR(sys::memory_read(file.get(), size.size + 1, start, 0), bad_argument);
    CHECK_ERROR(sys::memory_read(file.get(), ~0ull, start, 1), bad_argument);
    for (const std::uint64_t address : kBadAddresses)
        CHECK_ERROR(sys::memory_read(file.get(), 0, bad_pointer<void>(address), 1), bad_address);
    CHECK_ERROR(sys::tree_open(bundle, "bin", 3), bad_argument); // a directory
    CHECK_ERROR(sys::tree_open(bundle, "bin/none", 8), not_found);
    CHECK_ERROR(sys::tree_open(bundle, own.data(), 0), bad_argument);
    static char path[kMaxPathBytes + 1];
    for (char& c : path)
        c = 'x';
    CHECK_ERROR(sys::tree_open(bundle, path, sizeof(path)), too_large);
    CHECK_ERROR(sys::tree_open(bundle, path, sizeof(path) - 1), not_found);
    for (const std::string_view odd :
         {"../bin/test_memory", "/bin/test_memory", "bin//test_memory", "./bin/test_memory"})
        CHECK(!sys::tree_open(bundle, odd.data(), odd.size()));
    const OwnedHandle temporary(GET(sys::tree_create_temporary(self)));
    CHECK_ERROR(sys::tree_list(temporary.get(), 0, &entry), not_found);
    static TreeChange change;
    CHECK_ERROR(sys::tree_change(temporary.get(), 0, &change), unsupported); // it began with nothing
    CHECK_ERROR(sys::tree_change(bundle, 0, &change), unsupported);          // nobody can change it
}

// Behind test_log(): it is a refusal more, and which of them are recorded at once depends on how many there are.
void test_jit() { CHECK_ERROR(sys::agent_mem_alloc(self, 4096, kProtectWrite | kProtectExecute), missing_right); }

void test_log() {
    const Handle log = handle(StartupRole::log);
    LogInfo before{}, after{};
    GET(sys::log_info(log, &before));
    CHECK(before.records >= 2);
    GET(sys::handle_close(GET(sys::handle_derive(log, 0)))); // of class always: one record more
    GET(sys::log_info(log, &after));
    CHECK(after.records > before.records);
    bool same = true;
    for (unsigned i = 0; i < 32; ++i)
        same = same && before.root[i] == after.root[i];
    CHECK(!same);
    // A refused check is recorded; the same again and again is one record a second.
    GET(sys::log_info(log, &before));
    for (unsigned i = 0; i < 2000; ++i)
        CHECK_ERROR(sys::timer_set(self, 0, 0), wrong_type);
    GET(sys::log_info(log, &after));
    CHECK(after.records > before.records && after.records < before.records + 100);
    std::uint8_t record[512];
    const std::uint64_t bytes = GET(sys::log_read(log, after.records - 1, record, sizeof(record)));
    CHECK(bytes > 8 && bytes <= 256 && (record[0] & 0xe0) == 0xa0); // a CBOR map
    CHECK_ERROR(sys::log_read(log, after.records + 1000, record, sizeof(record)), not_found);
    CHECK_ERROR(sys::log_read(log, after.records - 1, record, bytes - 1), buffer_small);
    for (const std::uint64_t address : kBadAddresses) {
        CHECK_ERROR(sys::log_read(log, after.records - 1, bad_pointer<void>(address), 512), bad_address);
        CHECK_ERROR(sys::log_info(log, bad_pointer<LogInfo>(address)), bad_address);
    }
}

void test_devices() {
    const Handle console = handle(StartupRole::console), port = handle(StartupRole::host_port);
    static char large[65537];
    CHECK(GET(sys::console_write(console, large, 0)) == 0);
    CHECK_ERROR(sys::console_write(console, large, sizeof(large)), too_large);
    CHECK_ERROR(sys::console_write(port, large, 1), missing_right);
    CHECK_ERROR(sys::console_write(handle(StartupRole::frames), large, 1), unsupported);
    CHECK_ERROR(sys::host_send(port, large, 1 << 20), too_large);
    CHECK_ERROR(sys::host_send(console, large, 1), missing_right);
    for (const std::uint64_t address : kBadAddresses) {
        CHECK_ERROR(sys::console_write(console, bad_pointer<const void>(address), 16), bad_address);
        CHECK_ERROR(sys::host_send(port, bad_pointer<const void>(address), 16), bad_address);
    }
    CHECK_ERROR(sys::node_power(handle(StartupRole::power), 2, 0), bad_argument);
    CHECK_ERROR(sys::node_power(console, 0, 0), missing_right);
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "memory");
    run("alloc_free", test_alloc_free);
    run("alloc_limits", test_alloc_limits);
    run("pool", test_pool);
    run("map_arguments", test_map_arguments);
    run("close_unmaps", test_close_unmaps);
    run("frames", test_frames);
    run("registers", test_registers);
    run("trees", test_trees);
    run("log", test_log);
    run("jit", test_jit);
    run("devices", test_devices);
    return finish();
}
