#include "bench/crypto/report.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <format>

#include <cpuid.h>

namespace aios::bench {

namespace {

// 45123 as "45.1k", 1.3e9 as "1.30G".
std::string short_ticks(double ticks) {
    if (ticks < 1e3) return std::format("{:.0f}", ticks);
    if (ticks < 1e6) return std::format("{:.1f}k", ticks / 1e3);
    if (ticks < 1e9) return std::format("{:.2f}M", ticks / 1e6);
    return std::format("{:.2f}G", ticks / 1e9);
}

std::string figure(const Operation& operation, const std::optional<double>& ticks) {
    if (!ticks) return "-";
    if (operation.bytes == 0) return short_ticks(*ticks);
    return std::format("{:.3f}", static_cast<double>(operation.bytes) / *ticks);
}

// A limit, with a mark where the figure is above it.
std::string limit(double most, const std::optional<double>& ticks) {
    if (most == 0) return "";
    return std::format("{}{}", short_ticks(most), ticks && *ticks > most ? " OVER" : "");
}

// How many times as fast as OpenSSL.
std::optional<double> ratio(const std::optional<double>& ours, const std::optional<double>& openssl) {
    if (!ours || !openssl) return std::nullopt;
    return *openssl / *ours;
}

std::string ratio_text(const Row& row) {
    const auto times = ratio(row.avx2 ? row.avx2 : row.portable, row.openssl);
    if (!times) return "-";
    const double least = row.operation.limits.least_ratio;
    if (least == 0) return std::format("{:.2f}", *times);
    return std::format("{:.2f} (from {:.2f}){}", *times, least, *times < least ? " UNDER" : "");
}

std::string name(const Operation& operation) {
    const std::string text = operation.algorithm + " " + operation.operation;
    if (operation.bytes == 0) return text;
    return std::format("{}, {}", text,
                       operation.bytes < 1024 ? std::format("{} B", operation.bytes)
                                              : std::format("{} KiB", operation.bytes / 1024));
}

void add_rows(std::string& out, std::span<const Row> rows, bool rates) {
    if (std::ranges::none_of(rows, [&](const Row& row) { return (row.operation.bytes != 0) == rates; })) return;
    out +=
        std::format("\n{:<36}{:>9}  {:<11}{:>9}  {:<11}{:>9}  {}\n", rates ? "bytes per tick, median" : "ticks, median",
                    "AVX2", "limit", "portable", "limit", "OpenSSL", "times as fast as OpenSSL");
    for (const Row& row : rows) {
        const Operation& operation = row.operation;
        if ((operation.bytes != 0) != rates) continue;
        out += std::format("{:<36}{:>9}  {:<11}{:>9}  {:<11}{:>9}  {}\n", name(operation), figure(operation, row.avx2),
                           limit(operation.limits.avx2, row.avx2), figure(operation, row.portable),
                           limit(operation.limits.portable, row.portable), figure(operation, row.openssl),
                           ratio_text(row));
    }
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += std::format("\\{}", c);
        else if (static_cast<unsigned char>(c) < 0x20)
            out += std::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + "\"";
}

std::string number(const std::optional<double>& value) { return value ? std::format("{:.1f}", *value) : "null"; }
std::string number(double limit) { return limit == 0 ? "null" : std::format("{}", limit); }

} // namespace

std::string processor_name() {
    std::array<unsigned, 12> words{};
    for (unsigned i = 0; i < 3; ++i)
        if (__get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]) == 0)
            return "an x86-64 processor";
    std::string name(sizeof(words), '\0');
    std::memcpy(name.data(), words.data(), sizeof(words));
    name.resize(std::strlen(name.c_str()));
    while (name.ends_with(' '))
        name.pop_back();
    return name;
}

std::string as_table(const Machine& machine, std::span<const Row> rows) {
    std::string out = std::format("{}, {:.2f} GHz TSC, {}\n{}\n", machine.processor, machine.ticks_a_second / 1e9,
                                  machine.pinned ? "pinned to one CPU" : "NOT pinned: the system refused",
                                  machine.openssl.empty()
                                      ? std::format("OpenSSL was skipped: {}", machine.without_openssl)
                                      : machine.openssl + " in the same process; its keys are decoded once, before");
    add_rows(out, rows, false);
    add_rows(out, rows, true);
    return out;
}

std::string as_json(const Machine& machine, std::span<const Row> rows) {
    std::string out =
        std::format("{{\n  \"processor\": {},\n  \"ticks_a_second\": {:.0f},\n  \"pinned\": {},\n  \"openssl\": {},\n",
                    quoted(machine.processor), machine.ticks_a_second, machine.pinned,
                    machine.openssl.empty() ? "null" : quoted(machine.openssl));
    if (machine.openssl.empty()) out += std::format("  \"without_openssl\": {},\n", quoted(machine.without_openssl));
    out += "  \"unit\": \"ticks, median\",\n  \"operations\": [";
    bool first = true;
    for (const Row& row : rows) {
        const Operation& operation = row.operation;
        out += std::format(
            "{}\n    {{\"algorithm\": {}, \"operation\": {}, \"bytes\": {}, \"avx2\": {}, \"portable\": {}, "
            "\"openssl\": {}, \"limit_avx2\": {}, \"limit_portable\": {}, \"least_ratio\": {}}}",
            first ? "" : ",", quoted(operation.algorithm), quoted(operation.operation), operation.bytes,
            number(row.avx2), number(row.portable), number(row.openssl), number(operation.limits.avx2),
            number(operation.limits.portable), number(operation.limits.least_ratio));
        first = false;
    }
    return out + "\n  ]\n}\n";
}

} // namespace aios::bench
