// Helpers of the host tests: a scratch tree of files, and readers of outcomes.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/outcome.hpp"

namespace aios::host {

class ScratchTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto made = Scratch::create();
        ASSERT_TRUE(made);
        scratch_.emplace(std::move(*made));
    }
    [[nodiscard]] std::filesystem::path at(std::string_view name) const { return scratch_->path() / name; }
    void put(std::string_view name, std::string_view bytes) const {
        std::filesystem::create_directories(at(name).parent_path());
        std::ofstream(at(name), std::ios::binary) << bytes;
    }
    [[nodiscard]] std::string get(std::string_view name) const {
        std::ifstream in(at(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

private:
    std::optional<Scratch> scratch_;
};

// The exit status of an outcome, 0 if it holds a value.
template <typename T>
int exit_of(const Outcome<T>& outcome) {
    return outcome ? 0 : static_cast<int>(outcome.error().exit);
}

} // namespace aios::host
