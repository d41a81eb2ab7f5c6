// See vdso.hpp.
#include "personality/linux/vdso.hpp"

#include <cstring>

#include "kernel/arch/machine.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/vdso/clock.hpp"

extern "C" std::byte vdso_image[aios::arch::kPageSize]; // vdso/image.S

namespace aios::linux_abi {
namespace {

// Part of the kernel's image, so it is never freed.
class VdsoSource final : public mm::PageSource {
public:
    Result<arch::PhysAddr> page(std::uint64_t) override { return arch::image_to_phys(vdso_image); }
    void retain() override {}
    void release() override {}
};
constinit VdsoSource g_source;

} // namespace

void init_vdso() {
    const time::Scale scale = time::scale();
    const VdsoClock clock{scale.first_tick, scale.ns_per_tick, scale.boot_wall_ns};
    std::memcpy(vdso_image + kVdsoClockOffset, &clock, sizeof(clock));
}

Result<std::uint64_t> map_vdso(mm::AddressSpace& memory, Payer& payer) {
    auto pages = TRY(mm::Pages::create_from(payer, Ref<mm::PageSource>::share(g_source), arch::kPageSize));
    mm::MapOptions options;
    options.maximum = arch::Protection::read | arch::Protection::execute;
    return memory.map(std::move(pages), 0, arch::kPageSize, options.maximum, mm::Sharing::copy_on_write, options);
}

} // namespace aios::linux_abi
