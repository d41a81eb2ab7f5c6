// The vdso: a page with a small shared object (vdso/program.cpp) that every Linux program finds in its memory, so that the
// time costs it no call. All programs see one page, which nobody can write: the clock's constants, which are the same for
// all and do not change after boot, and the code that uses them. vdso(7).
#pragma once

#include "kernel/agent/agent.hpp"

namespace aios::linux_abi {

void init_vdso(); // at boot, when the clock is set

// Maps it where there is room; the address, for AT_SYSINFO_EHDR. The payer pays for the mapping, not for the page.
Result<std::uint64_t> map_vdso(mm::AddressSpace& memory, Payer& payer);

} // namespace aios::linux_abi
