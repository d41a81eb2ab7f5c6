// The functions of the extension types and their arithmetic on networks and times. Parsing is in extension_parse.cpp.
#include "policy/extension.hpp"

namespace aios::policy {

namespace {

using Kind = Value::Kind;

// In the order of `Function`.
constexpr FunctionInfo kFunctions[kFunctionCount] = {
    {"ip", false, 1, {Kind::string, Kind::string}, Kind::ip},
    {"decimal", false, 1, {Kind::string, Kind::string}, Kind::decimal},
    {"datetime", false, 1, {Kind::string, Kind::string}, Kind::datetime},
    {"duration", false, 1, {Kind::string, Kind::string}, Kind::duration},
    {"lessThan", true, 2, {Kind::decimal, Kind::decimal}, Kind::boolean},
    {"lessThanOrEqual", true, 2, {Kind::decimal, Kind::decimal}, Kind::boolean},
    {"greaterThan", true, 2, {Kind::decimal, Kind::decimal}, Kind::boolean},
    {"greaterThanOrEqual", true, 2, {Kind::decimal, Kind::decimal}, Kind::boolean},
    {"isIpv4", true, 1, {Kind::ip, Kind::ip}, Kind::boolean},
    {"isIpv6", true, 1, {Kind::ip, Kind::ip}, Kind::boolean},
    {"isLoopback", true, 1, {Kind::ip, Kind::ip}, Kind::boolean},
    {"isMulticast", true, 1, {Kind::ip, Kind::ip}, Kind::boolean},
    {"isInRange", true, 2, {Kind::ip, Kind::ip}, Kind::boolean},
    {"offset", true, 2, {Kind::datetime, Kind::duration}, Kind::datetime},
    {"durationSince", true, 2, {Kind::datetime, Kind::datetime}, Kind::duration},
    {"toDate", true, 1, {Kind::datetime, Kind::datetime}, Kind::datetime},
    {"toTime", true, 1, {Kind::datetime, Kind::datetime}, Kind::duration},
    {"toMilliseconds", true, 1, {Kind::duration, Kind::duration}, Kind::integer},
    {"toSeconds", true, 1, {Kind::duration, Kind::duration}, Kind::integer},
    {"toMinutes", true, 1, {Kind::duration, Kind::duration}, Kind::integer},
    {"toHours", true, 1, {Kind::duration, Kind::duration}, Kind::integer},
    {"toDays", true, 1, {Kind::duration, Kind::duration}, Kind::integer},
};

constexpr std::int64_t kDay = 86'400'000;

// Whether the first `count` bits of both are equal.
bool same_bits(const std::uint8_t* a, const std::uint8_t* b, unsigned count) {
    const unsigned bytes = count / 8;
    if (std::memcmp(a, b, bytes) != 0) return false;
    const unsigned rest = count % 8;
    return rest == 0 || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0;
}

} // namespace

const FunctionInfo& info_of(Function function) { return kFunctions[static_cast<unsigned>(function)]; }

std::optional<Function> function_named(std::string_view name) {
    for (unsigned i = 0; i < kFunctionCount; ++i)
        if (kFunctions[i].name == name) return static_cast<Function>(i);
    return std::nullopt;
}

bool is_loopback(const IpNetwork& network) {
    if (network.bits == 32) return network.address[0] == 127 && network.prefix >= 8;
    constexpr std::uint8_t kLoopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return network.prefix == 128 && std::memcmp(network.address, kLoopback, 16) == 0;
}

bool is_multicast(const IpNetwork& network) {
    if (network.bits == 32) return (network.address[0] & 0xf0) == 0xe0 && network.prefix >= 4;
    return network.address[0] == 0xff && network.prefix >= 8;
}

bool is_in_range(const IpNetwork& inner, const IpNetwork& outer) {
    return inner.bits == outer.bits && inner.prefix >= outer.prefix &&
           same_bits(inner.address, outer.address, outer.prefix);
}

std::int64_t time_of_day(std::int64_t datetime) {
    const std::int64_t rest = datetime % kDay;
    return rest < 0 ? rest + kDay : rest;
}

std::optional<std::int64_t> day_of(std::int64_t datetime) {
    std::int64_t day;
    if (__builtin_sub_overflow(datetime, time_of_day(datetime), &day)) return std::nullopt;
    return day;
}

} // namespace aios::policy
