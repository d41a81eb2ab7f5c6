// Trees inside the kernel: the temporary tree with real frames, and, where the machine was started with a container,
// every page of its boot section against its hash.
#include <cstring>

#include "kernel/arch/machine.hpp"
#include "kernel/fs/tree.hpp"
#include "tests/kernel/payer.hpp"
#include "tests/kernel/test.hpp"

namespace aios {

using namespace std::string_view_literals;

KERNEL_TEST(fs_temporary_tree) {
    kernel_test::TestPayer payer;
    {
        auto tree = fs::create_temporary_tree(payer);
        KERNEL_EXPECT(tree.has_value());
        KERNEL_EXPECT((*tree)->create_directory("dir"sv, 0755).has_value());
        auto file = (*tree)->create_file("dir/file"sv, 0644);
        KERNEL_EXPECT(file.has_value());
        KERNEL_EXPECT((*file)->resize(10'000).has_value());
        auto pages = (*file)->pages();
        KERNEL_EXPECT(pages.has_value());
        KERNEL_EXPECT((*pages)->write(9'990, "0123456789", 10).has_value());
        KERNEL_EXPECT((*tree)->rename("dir/file"sv, "other"sv, fs::IfPresent::replace).has_value());
        KERNEL_EXPECT((*tree)->open("dir/file"sv, payer).error() == Error::not_found);
        char text[10];
        KERNEL_EXPECT((*pages)->read(9'990, text, 10).has_value());
        KERNEL_EXPECT(std::memcmp(text, "0123456789", 10) == 0);
        KERNEL_EXPECT((*tree)->remove("other"sv, fs::NodeKind::file).has_value());
        KERNEL_EXPECT((*pages)->read(9'990, text, 10).has_value()); // open files stay
    }
    KERNEL_EXPECT(payer.used() == 0);
}

KERNEL_TEST(fs_every_page_of_the_boot_section_matches_its_hash) {
    const auto& handoff = arch::hand_off();
    if (handoff.container_bytes == 0) KERNEL_SKIP("started without a container");
    KERNEL_EXPECT(fs::init_bundle({handoff.container_base}, handoff.container_bytes).has_value());
    kernel_test::TestPayer payer;
    auto tree = fs::open_bundle_section(0);
    KERNEL_EXPECT(tree.has_value());
    KERNEL_EXPECT((*tree)->open(fs::first_program(), payer).has_value());
    static TreeEntry entry;
    for (std::uint64_t i = 0; (*tree)->list(i, entry, payer); ++i) {
        auto node = (*tree)->open({entry.name, entry.name_bytes}, payer);
        KERNEL_EXPECT(node.has_value());
        auto pages = (*node)->pages();
        KERNEL_EXPECT(pages.has_value());
        for (std::uint64_t page = 0; page < (*pages)->page_count(); ++page)
            KERNEL_EXPECT((*pages)->page(page).has_value());
    }
}

} // namespace aios
