// A processor made of variables, with the rules that the manuals give for its registers: what a real one answers with a
// general protection fault throws Fault here. Ports and the counter are the test's to answer.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kernel/arch/x86_64/cpu.hpp"

namespace aios::test {

struct Fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct FakeMachine {
    // What it has.
    std::map<std::pair<std::uint32_t, std::uint32_t>, arch::x86::CpuId> leaves; // leaf, subleaf
    std::uint64_t cr4_bits = 0;                                                 // that may be set
    std::uint64_t xcr0_bits = 0;
    // Its state.
    std::uint64_t cr0 = 0x8001'0033, cr4 = 1 << 5, xcr0 = 1, dr7 = 0x400;
    std::map<std::uint32_t, std::uint64_t> msr;   // those that are there
    std::uint64_t tsc = 1'000'000, tsc_step = 20; // a reading
    bool fpu_is_fresh = false;
    alignas(4096) std::array<std::uint32_t, 1024> apic_page{}; // xAPIC registers
    // What happened: model-specific registers that were written, "fence" as register 0.
    std::vector<std::pair<std::uint32_t, std::uint64_t>> written;
    std::function<std::uint32_t(std::uint16_t port)> in = [](std::uint16_t) { return 0xffff'ffff; };
    std::function<void(std::uint16_t port, std::uint32_t value)> out = [](std::uint16_t, std::uint32_t) {};

    FakeMachine(); // a processor with everything that this year's have
    void set_bit(std::uint32_t leaf, std::uint32_t subleaf, char word, unsigned bit, bool value); // word: 'a' to 'd'
    [[nodiscard]] bool bit(std::uint32_t leaf, std::uint32_t subleaf, char word, unsigned bit) const;
};

extern FakeMachine* machine; // the CPU that runs
extern unsigned timer_hooks; // how often upcall::timer() was called

} // namespace aios::test
