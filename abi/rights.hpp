// Object types and rights as types. Rights are runtime bits that only shrink.
#pragma once

#include <cstdint>
#include <string_view>

namespace aios {

enum class ObjectType : std::uint8_t {
    any = 0,
#define OBJECT(name, number, sentence) name = number,
#include "abi/objects.def"
#undef OBJECT
};

class Rights {
public:
    constexpr Rights() = default;
    constexpr explicit Rights(std::uint32_t bits) : bits_(bits) {}
    [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
    [[nodiscard]] constexpr bool contains(Rights other) const { return (bits_ & other.bits_) == other.bits_; }
    constexpr Rights operator|(Rights other) const { return Rights(bits_ | other.bits_); }
    constexpr Rights operator&(Rights other) const { return Rights(bits_ & other.bits_); }
    constexpr bool operator==(const Rights&) const = default;

private:
    std::uint32_t bits_ = 0;
};

namespace rights {
inline constexpr Rights none{0};
#define RIGHT(name, bit, sentence) inline constexpr Rights name{1u << (bit)};
#include "abi/rights.def"
#undef RIGHT
inline constexpr Rights all{0
#define RIGHT(name, bit, sentence) | (1u << (bit))
#include "abi/rights.def"
#undef RIGHT
};
} // namespace rights

[[nodiscard]] constexpr std::string_view object_name(ObjectType type) {
    switch (type) {
    case ObjectType::any:
        return "any";
#define OBJECT(name, number, sentence)                                                                                 \
    case ObjectType::name:                                                                                             \
        return #name;
#include "abi/objects.def"
#undef OBJECT
    }
    return "unknown";
}

} // namespace aios
