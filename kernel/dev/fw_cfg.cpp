// See fw_cfg.hpp.
#include "kernel/dev/fw_cfg.hpp"

#include <algorithm>
#include <array>

#include "base/bytes.hpp"

namespace aios::dev {
namespace {

constexpr std::uint16_t kSignature = 0, kDirectory = 0x19;
constexpr std::size_t kNameBytes = 56;

template <std::size_t kBytes>
std::array<std::byte, kBytes> take(FwCfgSource& source) {
    std::array<std::byte, kBytes> bytes;
    for (auto& byte : bytes)
        byte = static_cast<std::byte>(source.next());
    return bytes;
}

} // namespace

Result<std::size_t> fw_cfg_read(FwCfgSource& source, std::string_view name, MutableBytes out) {
    source.select(kSignature);
    if (as_text(take<4>(source)) != "QEMU") return fail(Error::not_found);
    source.select(kDirectory);
    const auto count = std::min(load_be<std::uint32_t>(take<4>(source).data()), kFwCfgMaxFiles);
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto bytes = load_be<std::uint32_t>(take<4>(source).data());
        const auto key = load_be<std::uint16_t>(take<4>(source).data()); // and two reserved bytes
        const auto field = take<kNameBytes>(source);
        const std::string_view text = as_text(field);
        if (text.substr(0, text.find('\0')) != name) continue;
        const std::size_t length = std::min<std::size_t>(bytes, out.size());
        source.select(key);
        for (std::byte& byte : out.first(length))
            byte = static_cast<std::byte>(source.next());
        return length;
    }
    return fail(Error::not_found);
}

} // namespace aios::dev
