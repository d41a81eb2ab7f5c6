// Page tables: W^X of everything the kernel maps, and the user half as mm uses it.
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/layout.hpp"
#include "kernel/arch/x86_64/table_walk.hpp"
#include "tests/kernel/frames.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

using arch::Protection;

struct Audit {
    std::uint64_t pages = 0, executable = 0, outside_text = 0, writable_code = 0, user = 0, low = 0, alias_writable = 0;
};

void look(void* context, const arch::x86::Leaf& leaf) {
    auto& audit = *static_cast<Audit*>(context);
    ++audit.pages;
    if (leaf.user) ++audit.user;
    if (leaf.address < 0xffff'8000'0000'0000) ++audit.low;
    const auto text = reinterpret_cast<std::uint64_t>(image_start),
               text_end = reinterpret_cast<std::uint64_t>(image_text_end);
    if (leaf.executable) {
        ++audit.executable;
        if (leaf.writable) ++audit.writable_code;
        if (leaf.address < text || leaf.address >= text_end) ++audit.outside_text;
    }
    // No second mapping gives a way to change text or constants.
    const std::uint64_t first = arch::image_to_phys(image_start).value,
                        last = arch::image_to_phys(image_rodata_end).value;
    if (leaf.writable && leaf.physical < last && leaf.physical + leaf.bytes > first) ++audit.alias_writable;
}

KERNEL_TEST(paging_kernel_is_write_xor_execute) {
    Audit audit;
    arch::x86::walk_table(arch::x86::boot_facts.kernel_root, look, &audit);
    KERNEL_EXPECT(audit.pages > 10);
    KERNEL_EXPECT(audit.executable > 0);
    KERNEL_EXPECT(audit.writable_code == 0);
    KERNEL_EXPECT(audit.outside_text == 0);
    KERNEL_EXPECT(audit.alias_writable == 0);
    KERNEL_EXPECT(audit.user == 0);
    KERNEL_EXPECT(audit.low == 0);
}

KERNEL_TEST(paging_user_map_protect_unmap) {
    kernel_test::FramePool frames;
    auto table = arch::PageTable::create(frames);
    KERNEL_EXPECT(table.has_value());
    constexpr std::uint64_t kAt = 0x5555'0000'3000;
    KERNEL_EXPECT(!table->query(kAt).mapped);
    KERNEL_EXPECT(table->next_mapped(0, arch::kUserHigh) == arch::kUserHigh);
    const auto frame = frames.allocate_table();
    KERNEL_EXPECT(frame.has_value());
    KERNEL_EXPECT(table->map(kAt, *frame, Protection::read | Protection::write | Protection::owned).has_value());
    KERNEL_EXPECT(table->query(kAt).mapped);
    KERNEL_EXPECT(table->query(kAt).frame == *frame);
    KERNEL_EXPECT(table->query(kAt).protection == (Protection::read | Protection::write | Protection::owned));
    KERNEL_EXPECT(table->next_mapped(0, arch::kUserHigh) == kAt);
    KERNEL_EXPECT(table->next_mapped(kAt + 1, arch::kUserHigh) == kAt + 1);
    KERNEL_EXPECT(table->next_mapped(kAt + 4096, arch::kUserHigh) == arch::kUserHigh);
    KERNEL_EXPECT(table->next_mapped(0, kAt) == kAt);
    // No access keeps the frame and the mark.
    table->protect(kAt, Protection::owned);
    KERNEL_EXPECT(table->query(kAt).mapped);
    KERNEL_EXPECT(table->query(kAt).protection == Protection::owned);
    KERNEL_EXPECT(table->query(kAt).frame == *frame);
    table->protect(kAt, Protection::read | Protection::execute);
    KERNEL_EXPECT(table->query(kAt).protection == (Protection::read | Protection::execute));
    const auto removed = table->unmap(kAt);
    KERNEL_EXPECT(removed.was_mapped);
    KERNEL_EXPECT(removed.frame == *frame);
    KERNEL_EXPECT(!removed.dirty);
    KERNEL_EXPECT(!table->unmap(kAt).was_mapped);
    frames.free_table(*frame);
    table->destroy();
    KERNEL_EXPECT(frames.in_use() == 0);
}

KERNEL_TEST(paging_running_out_of_tables_is_an_error) {
    kernel_test::FramePool frames(3); // the root and two tables: one too few
    auto table = arch::PageTable::create(frames);
    KERNEL_EXPECT(table.has_value());
    const auto result = table->map(0x1000'0000, {0x1000}, Protection::read);
    KERNEL_EXPECT(!result.has_value());
    KERNEL_EXPECT(result.error() == Error::out_of_memory);
    table->destroy();
    KERNEL_EXPECT(frames.in_use() == 0);
}

KERNEL_TEST(user_copy_moves_bytes_and_catches_faults) {
    kernel_test::FramePool frames;
    auto table = arch::PageTable::create(frames);
    KERNEL_EXPECT(table.has_value());
    constexpr std::uint64_t kAt = 0x7000'0000;
    const auto frame = frames.allocate_table();
    KERNEL_EXPECT(frame.has_value());
    KERNEL_EXPECT(table->map(kAt, *frame, Protection::read | Protection::write).has_value());
    arch::InterruptGuard guard;
    table->activate();
    bool good = true;
    const auto check = [&](bool condition) { good = good && condition; };
    char out[100], in[100] = {};
    for (int i = 0; i < 100; ++i)
        out[i] = static_cast<char>(i * 3 + 1);
    for (std::size_t bytes : {0ul, 1ul, 7ul, 8ul, 9ul, 100ul}) {
        check(arch::copy_to_user(kAt + 5, out, bytes).has_value());
        check(arch::copy_from_user(in, kAt + 5, bytes).has_value());
        for (std::size_t i = 0; i < bytes; ++i)
            check(in[i] == out[i]);
    }
    // Across the end of what is mapped, unmapped, kernel addresses, ranges that wrap, addresses that are not canonical.
    check(arch::copy_to_user(kAt + 4090, out, 10).error() == Error::bad_address);
    check(arch::copy_from_user(in, kAt + 4090, 10).error() == Error::bad_address);
    check(arch::copy_from_user(in, 0, 1).error() == Error::bad_address);
    check(arch::copy_from_user(in, 0xffff'8000'0000'0000, 8).error() == Error::bad_address);
    check(arch::copy_from_user(in, reinterpret_cast<std::uint64_t>(out), 8).error() == Error::bad_address);
    check(arch::copy_from_user(in, ~0ull - 3, 8).error() == Error::bad_address);
    check(arch::copy_from_user(in, 0x0000'8000'0000'0000, 8).error() == Error::bad_address);
    check(arch::copy_to_user(kAt, out, ~0ull).error() == Error::bad_address);
    check(arch::copy_from_user(in, arch::kUserHigh - 4, 8).error() == Error::bad_address);
    const std::uint32_t word = 41;
    check(arch::copy_to_user(kAt + 8, &word, 4).has_value());
    check(arch::user_load_u32(kAt + 8).value_or(0) == 41);
    check(arch::user_load_u32(kAt + 9).error() == Error::bad_address);
    check(arch::user_load_u32(kAt + 4096).error() == Error::bad_address);
    std::uint32_t expected = 41;
    check(arch::user_compare_exchange_u32(kAt + 8, expected, 42).value_or(false));
    check(!arch::user_compare_exchange_u32(kAt + 8, expected, 43).value_or(true));
    check(expected == 42);
    check(arch::user_compare_exchange_u32(kAt + 4096, expected, 43).error() == Error::bad_address);
    // Read-only from now on; the old translation is gone at once.
    table->protect(kAt, Protection::read);
    table->flush(kAt, 1);
    check(arch::copy_to_user(kAt, out, 8).error() == Error::bad_address);
    check(arch::copy_from_user(in, kAt, 8).has_value());
    check(table->query(kAt).mapped);
    check(table->unmap(kAt).dirty);
    table->flush(kAt, 1);
    check(arch::copy_from_user(in, kAt, 8).error() == Error::bad_address);
    arch::PageTable::activate_kernel_only();
    frames.free_table(*frame);
    table->destroy();
    KERNEL_EXPECT(good);
    KERNEL_EXPECT(frames.in_use() == 0);
}

} // namespace
} // namespace aios
