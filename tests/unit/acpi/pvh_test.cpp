// PVH start info: what a good one becomes, and that bad ones are refused.
#include "kernel/arch/x86_64/pvh.hpp"

#include <array>
#include <cstring>

#include <gtest/gtest.h>

namespace aios::arch::x86 {
namespace {

constexpr std::uint64_t kImage = 0x200000, kImageBytes = 0x81000;

// Physical memory from 0x1000 up, with the start info at 0x1000, the memory map at 0x2000 and the modules at 0x3000.
class Loader {
public:
    Loader() {
        start() = {kPvhMagic, 1, 0, 1, 0x3000, 0x4000, 0xf5000, 0x2000, 3, 0};
        memory()[0] = {0, 0x9fc00, 1, 0};
        memory()[1] = {0x100000, 0x1ff0'0000, 1, 0};
        memory()[2] = {0xb000'0000, 0x1000'0000, 2, 0};
        module() = {0x1000'0000, 0x123456, 0, 0};
    }
    PvhStartInfo& start() { return *reinterpret_cast<PvhStartInfo*>(&bytes_[0x0]); }
    PvhMemory* memory() { return reinterpret_cast<PvhMemory*>(&bytes_[0x1000]); }
    PvhModule& module() { return *reinterpret_cast<PvhModule*>(&bytes_[0x2000]); }
    void move_module(std::uint64_t by) {
        std::memmove(&bytes_[0x2000 + by], &bytes_[0x2000], sizeof(PvhModule));
        start().modules += by;
    }
    Result<> convert(std::uint64_t info = 0x1000) {
        const PhysicalView view = [](void* self, std::uint64_t address, std::uint64_t bytes) -> const void* {
            auto& data = static_cast<Loader*>(self)->bytes_;
            if (address < 0x1000 || address - 0x1000 > data.size() || bytes > data.size() - (address - 0x1000))
                return nullptr;
            return &data[address - 0x1000];
        };
        return pvh_convert(view, this, info, kImage, kImageBytes, 42, out);
    }
    boot::HandOff out{};

private:
    alignas(8) std::array<std::uint8_t, 0x8000> bytes_{};
};

TEST(Pvh, Converts) {
    Loader loader;
    ASSERT_TRUE(loader.convert().has_value());
    const auto& out = loader.out;
    EXPECT_EQ(out.magic, boot::kHandOffMagic);
    EXPECT_EQ(out.path, boot::BootPath::pvh);
    EXPECT_EQ(out.container_base, 0x1000'0000u);
    EXPECT_EQ(out.container_bytes, 0x123456u);
    EXPECT_EQ(out.rsdp, 0xf5000u);
    EXPECT_EQ(out.entry_tsc, 42u);
    bool kernel = false, container = false;
    std::uint64_t last = 0;
    for (std::uint32_t i = 0; i < out.range_count; ++i) {
        const auto& range = out.ranges[i];
        EXPECT_GE(range.base, last);
        last = range.base + range.bytes;
        if (range.kind == boot::MemoryKind::kernel) kernel = range.base == kImage && range.bytes == kImageBytes;
        if (range.kind == boot::MemoryKind::container) container = range.base == 0x1000'0000 && range.bytes == 0x124000;
    }
    EXPECT_TRUE(kernel);
    EXPECT_TRUE(container);
}

TEST(Pvh, WorksWithoutAContainer) {
    Loader loader;
    loader.start().module_count = 0;
    ASSERT_TRUE(loader.convert().has_value());
    EXPECT_EQ(loader.out.container_base, 0u);
}

// qboot aligns its list of modules to four bytes.
TEST(Pvh, StructuresNeedNoAlignment) {
    for (const std::uint64_t shift : {1u, 4u, 7u}) {
        Loader loader;
        loader.move_module(shift);
        ASSERT_TRUE(loader.convert().has_value());
        EXPECT_EQ(loader.out.container_base, 0x1000'0000u);
        EXPECT_EQ(loader.out.container_bytes, 0x123456u);
    }
}

TEST(Pvh, RefusesBadStartInfo) {
    const auto refused = [](auto&& spoil) {
        Loader loader;
        spoil(loader);
        return !loader.convert().has_value();
    };
    EXPECT_TRUE(refused([](Loader& l) { ++l.start().magic; }));
    EXPECT_TRUE(refused([](Loader& l) { l.start().version = 0; }));
    EXPECT_TRUE(refused([](Loader& l) { l.start().module_count = 1000; }));
    EXPECT_TRUE(refused([](Loader& l) { l.start().modules = 0xffff'ffff'0000; }));
    EXPECT_TRUE(refused([](Loader& l) { l.start().memory_map_entries = 0; }));
    EXPECT_TRUE(refused([](Loader& l) { l.start().memory_map_entries = 0xffff'ffff; }));
    EXPECT_TRUE(refused([](Loader& l) { l.start().memory_map = 0; }));
    EXPECT_TRUE(refused([](Loader& l) { l.module().address = 0x1000'0001; }));
    EXPECT_TRUE(refused([](Loader& l) { l.module().bytes = ~0ull; }));
    EXPECT_TRUE(refused([](Loader& l) { l.module().address = kImage; })); // on top of the kernel
    Loader loader;
    EXPECT_FALSE(loader.convert(0).has_value());
    EXPECT_FALSE(loader.convert(0x9000).has_value());
}

} // namespace
} // namespace aios::arch::x86
