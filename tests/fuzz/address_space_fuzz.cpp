// Sequences of address-space operations, chosen by the input, compared with the model of tests/unit/mm.
#include "tests/unit/mm/space_model.hpp"

namespace {

class InputChoices final : public aios::test::Choices {
public:
    InputChoices(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    std::uint64_t below(std::uint64_t limit) override {
        std::uint64_t value = 0;
        for (std::uint64_t range = 1; range < limit && at_ < size_; range <<= 8)
            value = value << 8 | data_[at_++];
        return value % limit;
    }
    bool at_end() override { return at_ >= size_; }

private:
    const std::uint8_t* data_;
    std::size_t size_, at_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    InputChoices choices(data, size);
    aios::test::SpaceDriver driver(choices);
    for (unsigned i = 0; !choices.at_end() && i < 2000; ++i) {
        driver.step();
        if (i % 32 == 0) driver.check_everything();
    }
    return 0;
}
