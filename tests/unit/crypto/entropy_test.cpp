// The health tests of SP 800-90B against the cut-offs that its section 4.4.2 tabulates, and against good, stuck, biased
// and periodic sources; and the collector's limits.
#include <random>

#include <gtest/gtest.h>

#include "crypto/entropy.hpp"
#include "crypto/hmac_drbg.hpp"

namespace aios::crypto {
namespace {

TEST(EntropyHealth, CutoffsOfTheStandard) {
    // Table 2 of section 4.4.2, alpha = 2^-20: windows of 1024 for binary sources, of 512 for others.
    static_assert(HealthTests<200, 1024>::kProportionCutoff == 941);
    static_assert(HealthTests<400, 1024>::kProportionCutoff == 840);
    static_assert(HealthTests<600, 1024>::kProportionCutoff == 748);
    static_assert(HealthTests<800, 1024>::kProportionCutoff == 664);
    static_assert(HealthTests<1000, 1024>::kProportionCutoff == 589);
    static_assert(HealthTests<500>::kProportionCutoff == 410);
    static_assert(HealthTests<1000>::kProportionCutoff == 311);
    static_assert(HealthTests<2000>::kProportionCutoff == 177);
    static_assert(HealthTests<4000>::kProportionCutoff == 62);
    static_assert(HealthTests<8000>::kProportionCutoff == 13);
    // Section 4.4.1's example: 2.0 bits a sample and alpha = 2^-20 give 11.
    static_assert(HealthTests<2000>::kRepetitionCutoff == 11);
    static_assert(HealthTests<1000>::kRepetitionCutoff == 21);
    static_assert(HealthTests<300>::kRepetitionCutoff == 68);
}

TEST(EntropyHealth, AGoodSourcePasses) {
    std::mt19937_64 random(1);
    HealthTests<8000> bytes;
    HealthTests<1000, 1024> bits;
    for (int i = 0; i < 100000; ++i) {
        ASSERT_TRUE(bytes.add(random() & 0xff)) << i;
        ASSERT_TRUE(bits.add(random() & 1)) << i;
    }
}

TEST(EntropyHealth, AStuckSourceFailsAtTheCutoff) {
    HealthTests<1000> tests;
    ASSERT_TRUE(tests.add(6));
    for (unsigned i = 1; i < HealthTests<1000>::kRepetitionCutoff; ++i)
        ASSERT_TRUE(tests.add(7));
    EXPECT_FALSE(tests.add(7));
    EXPECT_FALSE(tests.add(8)); // once failed, failed
    EXPECT_TRUE(tests.failed());
}

TEST(EntropyHealth, ABiasedSourceFailsWithinAWindow) {
    // Never 21 alike in a row, but four of five samples are the same.
    HealthTests<1000> tests;
    int taken = 0;
    while (tests.add(taken % 5 == 4 ? static_cast<std::uint64_t>(taken) : 0))
        ++taken;
    EXPECT_LT(taken, 512);
}

TEST(SeedCollector, KeepsItsLimits) {
    using Collector = SeedCollector<500>;
    EXPECT_EQ(Collector::kSamplesNeeded, 1152u);
    EXPECT_EQ(SeedCollector<8000>::kSamplesNeeded, 1024u);
    std::mt19937_64 random(2);
    Collector collector;
    Collector::Seed first;
    Collector::Seed second;
    for (std::uint64_t i = 0; i < Collector::kSamplesNeeded; ++i) {
        ASSERT_FALSE(collector.is_ready());
        ASSERT_EQ(collector.take(first).error(), Error::not_ready);
        ASSERT_TRUE(collector.add(random() & 3));
    }
    ASSERT_TRUE(collector.take(first));
    ASSERT_FALSE(collector.is_ready());
    while (!collector.is_ready())
        ASSERT_TRUE(collector.add(random() & 3));
    ASSERT_TRUE(collector.take(second));
    EXPECT_FALSE(first == second);
    HmacDrbgSha256 drbg;
    EXPECT_TRUE(drbg.instantiate(second.bytes(), {}));
}

TEST(SeedCollector, NeverGivesTheSeedOfAFailedSource) {
    SeedCollector<500> collector;
    SeedCollector<500>::Seed seed;
    std::mt19937_64 random(3);
    while (!collector.is_ready())
        ASSERT_TRUE(collector.add(random() & 3));
    while (collector.add(1)) {
    }
    EXPECT_FALSE(collector.is_ready());
    EXPECT_EQ(collector.take(seed).error(), Error::device);
    EXPECT_EQ(collector.add(2).error(), Error::device);
}

} // namespace
} // namespace aios::crypto
