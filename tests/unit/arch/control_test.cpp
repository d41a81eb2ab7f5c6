// Control registers, XCR0 and the rest: whatever firmware has left on, and whatever the processor could do beside, the
// kernel ends with exactly its own set; and no missing feature makes it fault.
#include <gtest/gtest.h>

#include "kernel/arch/x86_64/control.hpp"
#include "kernel/arch/x86_64/requirements.hpp"
#include "tests/unit/arch/fake_machine.hpp"

namespace aios::arch::x86 {
namespace {

using test::FakeMachine;
using test::Fault;

constexpr std::uint64_t kEntry = 0xffff'ffff'8020'1000;

void take_over(FakeMachine& machine) {
    test::machine = &machine;
    read_features();
    set_control_registers();
    set_entry_registers(kEntry);
}

TEST(Control, FirmwaresLeftoversAreGone) {
    FakeMachine machine;
    machine.cr4 = machine.cr4_bits & ~kCr4FiveLevels & ~(std::uint64_t{1} << 13); // all but 57-bit addresses and VMX
    machine.cr0 = 0xe005'003f; // caches off, alignment checks, no FPU
    machine.xcr0 = machine.xcr0_bits;
    machine.dr7 = 0xffff'07ff;
    machine.msr[kMsrEfer] = 0x1'fd00;
    machine.msr[kMsrSysenterSelector] = 0x10;
    machine.msr[kMsrSupervisorState] = 0x1'9900;
    machine.msr[kMsrPageAttributes] = 0x0101'0101'0101'0101;
    machine.msr[kMsrTscAux] = 77;
    take_over(machine);
    EXPECT_EQ(machine.cr4, kCr4Pae | kCr4MachineCheck | kCr4GlobalPages | kCr4FxSave | kCr4SimdExceptions | kCr4Umip |
                               kCr4FsGsBase | kCr4XSave | kCr4Smep | kCr4Smap);
    EXPECT_EQ(machine.cr0, 0x8001'0033u);
    EXPECT_EQ(machine.xcr0, 0xe7u);
    EXPECT_EQ(machine.dr7, 0x400u);
    EXPECT_TRUE(machine.fpu_is_fresh);
    EXPECT_EQ(machine.msr[kMsrEfer], 0xd01u);
    EXPECT_EQ(machine.msr[kMsrSysenterSelector], 0u);
    EXPECT_EQ(machine.msr[kMsrSupervisorState], 0u);
    EXPECT_EQ(machine.msr[kMsrPageAttributes], 0x0007'0406'0007'0406u);
    EXPECT_EQ(machine.msr[kMsrTscAux], 0u);
    EXPECT_EQ(machine.msr[kMsrLstar], kEntry);
    EXPECT_EQ(machine.msr[kMsrCstar], kEntry);
    EXPECT_EQ(machine.msr[kMsrSfmask], 0x4'7700u); // AC, NT, IOPL, DF, IF, TF
}

// The kernel neither saves nor handles these.
TEST(Control, UnknownFeaturesStayOff) {
    FakeMachine machine;
    take_over(machine);
    for (const unsigned bit : {0u, 1u, 2u, 3u, 8u, 12u, 13u, 14u, 17u, 19u, 22u, 23u, 24u, 25u, 32u}) // VME ... FRED
        EXPECT_EQ(machine.cr4 >> bit & 1, 0u) << bit;
    for (const unsigned component : {3u, 4u, 8u, 9u, 10u, 11u, 12u, 17u, 18u}) // MPX ... AMX
        EXPECT_EQ(machine.xcr0 >> component & 1, 0u) << component;
}

struct Feature {
    const char* name;
    std::uint32_t leaf, subleaf;
    char word;
    unsigned bit;
    std::uint64_t cr4; // that goes with it
};
constexpr Feature kOptional[] = {
    {"mce", 1, 0, 'd', 7, kCr4MachineCheck},
    {"fsgsbase", 7, 0, 'b', 0, kCr4FsGsBase},
    {"smep", 7, 0, 'b', 7, kCr4Smep},
    {"smap", 7, 0, 'b', 20, kCr4Smap},
    {"umip", 7, 0, 'c', 2, kCr4Umip},
    {"xsave", 1, 0, 'c', 26, kCr4XSave},
    {"sep", 1, 0, 'd', 11, 0},
    {"rdtscp", 0x8000'0001, 0, 'd', 27, 0},
    {"rdrand", 1, 0, 'c', 30, 0},
    {"xsaveopt", 0xd, 1, 'a', 0, 0},
    {"xsaves", 0xd, 1, 'a', 3, 0},
    {"tsc-deadline", 1, 0, 'c', 24, 0},
};

TEST(Control, EachOptionalFeatureMayBeMissing) {
    for (const Feature& feature : kOptional) {
        FakeMachine machine;
        machine.set_bit(feature.leaf, feature.subleaf, feature.word, feature.bit, false);
        machine.cr4_bits &= ~feature.cr4;
        const std::string name = feature.name;
        if (name == "sep") machine.msr.erase(kMsrSysenterSelector);
        if (name == "rdtscp") machine.msr.erase(kMsrTscAux);
        if (name == "xsave") machine.xcr0_bits = 0;
        if (name == "xsave" || name == "xsaves") machine.msr.erase(kMsrSupervisorState);
        EXPECT_NO_THROW(take_over(machine)) << name;
        EXPECT_EQ(machine.cr4 & feature.cr4, 0u) << name;
    }
    FakeMachine bare; // none of them at all
    for (const Feature& feature : kOptional) {
        bare.set_bit(feature.leaf, feature.subleaf, feature.word, feature.bit, false);
        bare.cr4_bits &= ~feature.cr4;
    }
    for (const std::uint32_t number : {kMsrSysenterSelector, kMsrTscAux, kMsrSupervisorState})
        bare.msr.erase(number);
    EXPECT_NO_THROW(take_over(bare));
    EXPECT_EQ(bare.cr4, kCr4Pae | kCr4GlobalPages | kCr4FxSave | kCr4SimdExceptions);
    EXPECT_EQ(features().extended_bytes, 512u);
}

TEST(Control, TheSaveAreaIsAsLongAsItsComponents) {
    struct Row {
        std::uint32_t has, managed, bytes;
    };
    for (const Row& row : {Row{0x6'02ff, 0xe7, 2688}, // AMX's 11,008 bytes are not asked for
                           Row{0xe7, 0xe7, 2688}, Row{0x207, 7, 832}, Row{0x7, 7, 832}, Row{0x3, 3, 576},
                           Row{0x67, 7, 832}, // AVX-512 without its upper registers is none
                           Row{0xe3, 3, 576}, // nor is it one without AVX
                           Row{0x6'0003, 3, 576}}) {
        FakeMachine machine;
        machine.leaves[{0xd, 0}].eax = row.has;
        machine.xcr0_bits = row.has;
        take_over(machine);
        EXPECT_EQ(features().extended_components, row.managed) << row.has;
        EXPECT_EQ(machine.xcr0, row.managed) << row.has;
        EXPECT_EQ(features().extended_bytes, row.bytes) << row.has;
    }
}

// Each thing that the kernel's own vector code needs; without it that code is not taken.
TEST(Control, VectorCodeIsTakenOnlyWhereItsRegistersAreKept) {
    struct Row {
        std::uint32_t leaf, subleaf;
        char word;
        unsigned bit;
        bool moves, lanes;
    };
    constexpr Row kMissing[] = {
        {1, 0, 'c', 26, false, false},  // XSAVE
        {1, 0, 'c', 28, true, false},   // AVX: of the lanes' code; XCR0 says whether its registers are there
        {7, 0, 'b', 5, true, false},    // AVX2
        {7, 0, 'b', 3, true, false},    // BMI
        {7, 0, 'b', 8, true, false},    // BMI2
        {0xd, 0, 'a', 2, false, false}, // the registers of AVX
        {0xd, 1, 'a', 2, false, true},  // XGETBV with ecx = 1
    };
    for (const Row& row : kMissing) {
        FakeMachine machine;
        for (unsigned bit = 5; bit < 8; ++bit) // without AVX-512
            machine.set_bit(0xd, 0, 'a', bit, false);
        machine.set_bit(row.leaf, row.subleaf, row.word, row.bit, false);
        test::machine = &machine;
        read_features();
        EXPECT_EQ(features().wide_moves, row.moves) << row.leaf << ' ' << row.word << row.bit;
        EXPECT_EQ(features().hash_lanes, row.lanes) << row.leaf << ' ' << row.word << row.bit;
    }
    FakeMachine machine; // with AVX-512, whose upper halves moves to YMM would clear and nobody has saved
    test::machine = &machine;
    read_features();
    EXPECT_FALSE(features().wide_moves);
    EXPECT_TRUE(features().hash_lanes);
    machine.leaves[{0xd, 6}] = {512, 2048, 0, 0}; // their place is not where the lanes' area ends
    read_features();
    EXPECT_FALSE(features().hash_lanes);
}

TEST(Control, OnlyProcessorsWithMeltdownNeedIsolation) {
    FakeMachine machine;
    take_over(machine);
    EXPECT_FALSE(features().needs_page_table_isolation);
    machine.msr[0x10a] = 0; // IA32_ARCH_CAPABILITIES without RDCL_NO
    take_over(machine);
    EXPECT_TRUE(features().needs_page_table_isolation);
    machine.set_bit(7, 0, 'd', 29, false); // or without that register
    machine.msr.erase(0x10a);
    take_over(machine);
    EXPECT_TRUE(features().needs_page_table_isolation);
    machine.leaves[{0, 0}].ebx = 0x6874'7541; // AuthenticAMD
    take_over(machine);
    EXPECT_FALSE(features().needs_page_table_isolation);
}

TEST(Requirements, EachMissingFeatureIsNamed) {
    FakeMachine machine;
    test::machine = &machine;
    EXPECT_EQ(missing_feature(), "");
    struct Row {
        std::uint32_t leaf;
        unsigned bit;
        const char* name;
    };
    for (const Row& row : {Row{1, 0, "fpu"}, Row{1, 4, "tsc"}, Row{1, 5, "msr"}, Row{1, 6, "pae"}, Row{1, 8, "cx8"},
                           Row{1, 9, "apic"}, Row{1, 13, "pge"}, Row{1, 15, "cmov"}, Row{1, 16, "pat"},
                           Row{1, 24, "fxsr"}, Row{1, 25, "(sse)"}, Row{1, 26, "sse2"}, Row{0x8000'0001, 11, "syscall"},
                           Row{0x8000'0001, 20, "nx"}, Row{0x8000'0001, 29, "lm"}}) {
        machine.set_bit(row.leaf, 0, 'd', row.bit, false);
        EXPECT_NE(missing_feature().find(row.name), std::string_view::npos) << row.name;
        machine.set_bit(row.leaf, 0, 'd', row.bit, true);
    }
    machine.leaves[{0x8000'0000, 0}].eax = 0x8000'0000;
    EXPECT_NE(missing_feature(), "");
}

// The rules of the machine itself: what the kernel must not do.
TEST(FakeMachine, RefusesWhatARealOneRefuses) {
    FakeMachine machine;
    test::machine = &machine;
    EXPECT_THROW(write_xcr0(7), Fault);
    EXPECT_THROW(write_cr4(kCr4Pae | kCr4FiveLevels), Fault);
    machine.cr4 |= 1 << 23;
    EXPECT_THROW(write_cr0(kCr0 & ~kCr0WriteProtect), Fault);
    EXPECT_THROW(write_msr(0x80b, 0), Fault);
    EXPECT_THROW(write_msr(kMsrApicBase, 0xfee0'0400), Fault);
    EXPECT_THROW((void)read_msr(0x1234), Fault);
}

} // namespace
} // namespace aios::arch::x86
