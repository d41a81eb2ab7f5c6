// Verifying pages of the bundle while others touch them. A thread that hashes may lose the CPU at any instruction: here it
// does so with the hash in its hand, and strangers touch the same page, its neighbours and other entries meanwhile. What
// would wait for it would wait for ever, which the stand-in for mutexes asserts.
#include <functional>

#include "boot/container_check.hpp"
#include "kernel/fs/bundle_tree.hpp"
#include "tests/support/hash_lanes_host.hpp"
#include "tests/unit/fs/container_builder.hpp"
#include "tests/unit/fs/fixture.hpp"

namespace aios::test {
namespace {

// What happens when a hash is ready and not yet compared. Answers whether the hash is to be a wrong one. Of pages that are
// hashed together it is about the one that is touched, which is the first of its eight unless the test says otherwise.
using Interruption = std::function<bool()>;
Interruption at_page, at_leaves; // once
std::size_t touched = 0;
unsigned page_hashes, leaf_hashes;

bool makes_wrong(Interruption& what) {
    const Interruption now = std::exchange(what, {});
    return now && now();
}

void pages_were_hashed(std::span<const crypto::Sha256Job> jobs) {
    if (jobs.front().message.size() != mm::kPageSize) return;
    page_hashes += static_cast<unsigned>(jobs.size());
    if (makes_wrong(at_page)) (*jobs[touched].digest)[0] ^= std::byte{1};
}

} // namespace
} // namespace aios::test

extern "C" {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#define REAL(name) __real_##name
#define WRAPPED(name) __wrap_##name
#define LEAVES_ROOT(how)                                                                                               \
    how(_ZN4aios6crypto14merkle_root_byENS0_11BatchHasherENSt3__14spanIKNS2_5arrayISt4byteLm32EEELm18446744073709551615EEE)
using aios::crypto::BatchHasher;
using aios::crypto::MerkleHash;
MerkleHash LEAVES_ROOT(REAL)(BatchHasher hash, std::span<const MerkleHash> leaves);
MerkleHash LEAVES_ROOT(WRAPPED)(BatchHasher hash, std::span<const MerkleHash> leaves);
MerkleHash LEAVES_ROOT(WRAPPED)(BatchHasher hash, std::span<const MerkleHash> leaves) {
    ++aios::test::leaf_hashes;
    MerkleHash root = LEAVES_ROOT(REAL)(hash, leaves);
    if (aios::test::makes_wrong(aios::test::at_leaves)) root[0] ^= std::byte{1};
    return root;
}
#pragma clang diagnostic pop
}

namespace aios::fs {
namespace {

class Verify : public testing::Test {
protected:
    void SetUp() override {
        fake::start_machine();
        test::has_hash_lanes = false;
        test::touched = 0;
        test::after_hashing = test::pages_were_hashed;
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
        test::after_hashing = {};
    }
    // Changes a byte of a page of `big`, in memory.
    void damage(std::uint64_t page) {
        const std::string wanted(mm::kPageSize, 'b');
        std::size_t at = 0;
        const auto bytes = std::span(container);
        for (std::uint64_t skip = page;; at += mm::kPageSize) // the pages of `big` are the first of their kind
            if (std::memcmp(bytes.data() + at, wanted.data(), mm::kPageSize) == 0 && skip-- == 0) break;
        bytes[at + 77] ^= std::byte{1};
    }
    void open() {
        const arch::PhysAddr base = test::place_container(container);
        const auto* page = static_cast<const std::uint8_t*>(arch::physmap(base));
        const auto header = boot::container_header_check({page, 4096}, container.size()).value();
        auto tree = BundleTree::create(base, header.sections[0]).value();
        big = tree->open("big", test::payer).value()->pages().value();
        other = tree->open("other", test::payer).value()->pages().value();
        test::page_hashes = test::leaf_hashes = 0; // without the manifest's
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

// With lanes a touch verifies the eight pages of which it is one, and no other.
TEST_F(Verify, NeighboursAreHashedAlong) {
    test::has_hash_lanes = true;
    open();
    EXPECT_TRUE(big->page(13).has_value());
    EXPECT_EQ(test::page_hashes, 8u);
    for (std::uint64_t page = 8; page < 16; ++page)
        EXPECT_TRUE(big->page(page).has_value());
    EXPECT_EQ(test::page_hashes, 8u);
    EXPECT_TRUE(big->page(7).has_value());
    EXPECT_EQ(test::page_hashes, 16u);
    EXPECT_TRUE(other->page(0).has_value()); // of an entry of its own, however near
    EXPECT_EQ(test::page_hashes, 17u);
    EXPECT_TRUE(test::integrity_reports.empty());
}

// Whichever of eight is damaged, whichever is touched first: that page alone is refused, and is reported to the one who
// touched it, when he does.
TEST_F(Verify, ADamagedNeighbourIsRefusedAlone) {
    test::has_hash_lanes = true;
    const std::vector<std::byte> sound = container;
    for (std::uint64_t bad = 16; bad < 24; ++bad) {
        for (std::uint64_t first = 16; first < 24; ++first) {
            container = sound;
            damage(bad);
            open();
            test::integrity_reports.clear();
            EXPECT_EQ(big->page(first).has_value(), first != bad);
            EXPECT_EQ(test::integrity_reports.size(), first == bad ? 1u : 0u);
            for (std::uint64_t page = 0; page < 40; ++page) {
                const Result<arch::PhysAddr> frame = big->page(page);
                if (page == bad)
                    EXPECT_EQ(frame.error(), Error::integrity);
                else
                    EXPECT_TRUE(frame.has_value()) << page;
            }
            ASSERT_EQ(test::integrity_reports.size(), 1u);
            EXPECT_EQ(test::integrity_reports[0].page, bad);
        }
    }
}

// Others verify a page while it is hashed along: what they found stands.
TEST_F(Verify, NeighboursThatOthersSettledStay) {
    test::has_hash_lanes = true;
    open();
    test::at_page = [&] { // while 8 to 15 are hashed for 8, another finds 11 bad
        test::at_page = [] { return true; };
        test::touched = 3;
        EXPECT_EQ(big->page(11).error(), Error::integrity);
        return false;
    };
    EXPECT_TRUE(big->page(8).has_value());
    EXPECT_EQ(big->page(11).error(), Error::integrity);
    ASSERT_EQ(test::integrity_reports.size(), 1u);
    EXPECT_EQ(test::integrity_reports[0].page, 11u);
}

} // namespace
} // namespace aios::fs
