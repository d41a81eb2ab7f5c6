// Thousands of random operations on address spaces, compared with the naive model after every few.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/mm/space_model.hpp"

namespace aios::test {
namespace {

class RandomChoices final : public Choices {
public:
    explicit RandomChoices(std::uint64_t seed) : random_(seed) {}
    std::uint64_t below(std::uint64_t limit) override { return random_() % limit; }

private:
    std::mt19937_64 random_;
};

TEST(SpaceModel, RandomOperations) {
    fake::start_machine();
    const std::uint64_t before = mm::frame_counts().free;
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        SCOPED_TRACE(seed);
        RandomChoices choices(seed);
        SpaceDriver driver(choices);
        for (int i = 0; i < 2000; ++i) {
            driver.step();
            if (i % 16 == 0) driver.check_everything();
        }
    }
    EXPECT_GE(mm::frame_counts().free + 64, before); // the heap keeps a few
}

} // namespace
} // namespace aios::test
