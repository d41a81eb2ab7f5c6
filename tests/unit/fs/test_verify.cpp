// Verifying pages of the bundle while others touch them. A thread that hashes may lose the CPU at any instruction: here it
// does so with the hash in its hand, and strangers touch the same page, its neighbours and other entries meanwhile. What
// would wait for it would wait for ever, which the stand-in for mutexes asserts.
#include <functional>

#include "boot/container_check.hpp"
#include "kernel/fs/bundle_tree.hpp"
#include "tests/unit/fs/container_builder.hpp"
#include "tests/unit/fs/fixture.hpp"

namespace aios::test {
namespace {

// What happens when a hash is ready and not yet compared. Answers whether the hash is to be a wrong one.
using Interruption = std::function<bool()>;
Interruption at_page, at_leaves; // once
unsigned page_hashes, leaf_hashes;

crypto::MerkleHash interrupted(crypto::MerkleHash hash, Interruption& what) {
    if (const Interruption now = std::exchange(what, {}); now && now()) hash[0] ^= std::byte{1};
    return hash;
}

} // namespace
} // namespace aios::test

extern "C" {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#define REAL(name) __real_##name
#define WRAPPED(name) __wrap_##name
#define PAGE_LEAF(how) how(_ZN4aios6crypto14page_tree_leafENSt3__14spanIKSt4byteLm18446744073709551615EEE)
#define LEAVES_ROOT(how)                                                                                               \
    how(_ZN4aios6crypto11merkle_rootENSt3__14spanIKNS1_5arrayISt4byteLm32EEELm18446744073709551615EEE)
using aios::crypto::MerkleHash;
MerkleHash PAGE_LEAF(REAL)(aios::Bytes page);
MerkleHash PAGE_LEAF(WRAPPED)(aios::Bytes page);
MerkleHash PAGE_LEAF(WRAPPED)(aios::Bytes page) {
    ++aios::test::page_hashes;
    return aios::test::interrupted(PAGE_LEAF(REAL)(page), aios::test::at_page);
}
MerkleHash LEAVES_ROOT(REAL)(std::span<const MerkleHash> leaves);
MerkleHash LEAVES_ROOT(WRAPPED)(std::span<const MerkleHash> leaves);
MerkleHash LEAVES_ROOT(WRAPPED)(std::span<const MerkleHash> leaves) {
    ++aios::test::leaf_hashes;
    return aios::test::interrupted(LEAVES_ROOT(REAL)(leaves), aios::test::at_leaves);
}
#pragma clang diagnostic pop
}

namespace aios::fs {
namespace {

class Verify : public testing::Test {
protected:
    void SetUp() override {
        fake::start_machine();
        test::integrity_reports.clear();
        test::TestSection section;
        section.files["big"] = std::string(40 * 4096, 'b');
        section.files["other"] = std::string(4096, 'o');
        container = test::build_container({section, {}});
        open();
    }
    void TearDown() override {
        big.reset();
        other.reset();
    }
    void open() {
        const arch::PhysAddr base = test::place_container(container);
        const auto* page = static_cast<const std::uint8_t*>(arch::physmap(base));
        const auto header = boot::container_header_check({page, 4096}, container.size()).value();
        auto tree = BundleTree::create(Section::open(base, header.sections[0]).value()).value();
        big = tree->open("big", test::payer).value()->pages().value();
        other = tree->open("other", test::payer).value()->pages().value();
        test::page_hashes = test::leaf_hashes = 0;
    }
    std::vector<std::byte> container;
    Ref<mm::Pages> big, other;
};

TEST_F(Verify, NobodyWaitsForWhoHashes) {
    for (test::Interruption* where : {&test::at_leaves, &test::at_page}) {
        open();
        bool was_interrupted = false;
        *where = [&] {
            for (std::uint64_t page = 0; page < 3; ++page)
                EXPECT_TRUE(big->page(page).has_value());
            EXPECT_TRUE(other->page(0).has_value());
            was_interrupted = true;
            return false;
        };
        EXPECT_TRUE(big->page(0).has_value());
        EXPECT_TRUE(was_interrupted);
        // Page 0 and the leaves of `big` were hashed by both; all else once, and never again.
        EXPECT_EQ(test::page_hashes, 5u);
        EXPECT_EQ(test::leaf_hashes, where == &test::at_leaves ? 3u : 2u);
        for (std::uint64_t page = 0; page < 3; ++page)
            EXPECT_TRUE(big->page(page).has_value());
        EXPECT_EQ(test::page_hashes, 5u);
    }
    EXPECT_TRUE(test::integrity_reports.empty());
}

// Contents that change while they are hashed: two threads find different things. The first to publish decides for both,
// and a bad page is reported once.
TEST_F(Verify, WhoFinishesFirstDecidesForAll) {
    test::at_page = [&] { // finds it bad, too late
        EXPECT_TRUE(big->page(5).has_value());
        return true;
    };
    EXPECT_TRUE(big->page(5).has_value());
    EXPECT_TRUE(test::integrity_reports.empty());
    test::at_page = [&] { // finds it good, too late
        test::at_page = [] { return true; };
        EXPECT_EQ(big->page(6).error(), Error::integrity);
        return false;
    };
    EXPECT_EQ(big->page(6).error(), Error::integrity);
    EXPECT_EQ(big->page(6).error(), Error::integrity);
    test::at_page = [&] { // both find it bad
        test::at_page = [] { return true; };
        EXPECT_EQ(big->page(7).error(), Error::integrity);
        return true;
    };
    EXPECT_EQ(big->page(7).error(), Error::integrity);
    ASSERT_EQ(test::integrity_reports.size(), 2u);
    EXPECT_EQ(test::integrity_reports[0].page, 6u);
    EXPECT_EQ(test::integrity_reports[1].page, 7u);
    EXPECT_TRUE(big->page(8).has_value());
}

// Leaves that do not match their root are hashed once, however many of the entry's pages are touched.
TEST_F(Verify, BadLeavesAreRemembered) {
    test::at_leaves = [] { return true; };
    for (std::uint64_t page = 0; page < 40; ++page)
        EXPECT_EQ(big->page(page).error(), Error::integrity);
    EXPECT_TRUE(other->page(0).has_value());
    EXPECT_EQ(test::leaf_hashes, 2u);
    EXPECT_EQ(test::page_hashes, 1u);
    EXPECT_EQ(test::integrity_reports.size(), 40u);
}

} // namespace
} // namespace aios::fs
