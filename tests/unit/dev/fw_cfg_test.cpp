// The fw_cfg protocol against a make-believe monitor, good and bad.
#include "kernel/dev/fw_cfg.hpp"

#include <array>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace aios::dev {
namespace {

class Monitor final : public FwCfgSource {
public:
    std::map<std::uint16_t, std::string> items;
    std::size_t reads = 0;
    void select(std::uint16_t key) override {
        item_ = items[key];
        position_ = 0;
    }
    std::uint8_t next() override {
        ++reads;
        return position_ < item_.size() ? static_cast<std::uint8_t>(item_[position_++]) : 0;
    }

private:
    std::string item_;
    std::size_t position_ = 0;
};

std::string entry(std::uint32_t bytes, std::uint16_t key, std::string name) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(bytes >> shift);
    out += static_cast<char>(key >> 8);
    out += static_cast<char>(key);
    name.resize(56);
    return out + std::string(2, '\0') + name;
}

Monitor make_monitor() {
    Monitor monitor;
    monitor.items[0] = "QEMU";
    monitor.items[0x19] = std::string("\0\0\0\2", 4) + entry(4, 0x20, "other") + entry(40, 0x21, "opt/aios/seed");
    monitor.items[0x20] = "othe";
    monitor.items[0x21] = std::string(40, 's');
    return monitor;
}

TEST(FwCfg, ReadsTheStartOfAFile) {
    Monitor monitor = make_monitor();
    std::array<std::byte, 32> seed{};
    EXPECT_EQ(fw_cfg_read(monitor, "opt/aios/seed", seed), 32u);
    for (const std::byte byte : seed)
        EXPECT_EQ(byte, std::byte{'s'});
    EXPECT_EQ(fw_cfg_read(monitor, "other", seed), 4u);
}

TEST(FwCfg, SaysWhatIsNotThere) {
    std::array<std::byte, 32> seed{};
    Monitor monitor = make_monitor();
    EXPECT_EQ(fw_cfg_read(monitor, "opt/aios", seed).error(), Error::not_found);
    monitor.items[0] = "BOCH";
    EXPECT_EQ(fw_cfg_read(monitor, "opt/aios/seed", seed).error(), Error::not_found);
    Monitor empty;
    EXPECT_EQ(fw_cfg_read(empty, "opt/aios/seed", seed).error(), Error::not_found);
}

TEST(FwCfg, AnAbsurdDirectoryEnds) {
    Monitor monitor = make_monitor();
    monitor.items[0x19] = "\xff\xff\xff\xff";
    std::array<std::byte, 32> seed{};
    EXPECT_EQ(fw_cfg_read(monitor, "opt/aios/seed", seed).error(), Error::not_found);
    EXPECT_LE(monitor.reads, 8u + kFwCfgMaxFiles * 64);
}

} // namespace
} // namespace aios::dev
