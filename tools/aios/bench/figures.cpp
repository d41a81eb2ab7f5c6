#include "tools/aios/bench/figures.hpp"

#include <array>
#include <charconv>

namespace aios::host {

namespace {

constexpr std::string_view kLine = "BENCH ";
constexpr std::string_view kWindow = "WINDOW ";
constexpr std::string_view kFail = "fail ";
constexpr std::string_view kThird = "third";

// The word at the beginning, which is taken off.
std::string_view next_word(std::string_view& rest) {
    while (rest.starts_with(' '))
        rest.remove_prefix(1);
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    return word;
}

std::optional<std::uint64_t> next_number(std::string_view& rest) {
    const std::string_view word = next_word(rest);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (word.empty() || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return number;
}

std::string_view trimmed(std::string_view line) {
    while (line.ends_with('\r') || line.ends_with('\n') || line.ends_with(' '))
        line.remove_suffix(1);
    return line;
}

} // namespace

std::optional<BenchLine> parse_bench_line(std::string_view line) {
    line = trimmed(line);
    const std::size_t at = line.find(kLine);
    if (at == line.npos) return std::nullopt;
    std::string_view rest = line.substr(at + kLine.size());
    BenchLine out;
    out.row = next_word(rest);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    if (rest.starts_with(kFail)) {
        out.fail = rest.substr(kFail.size());
        return out;
    }
    const auto total = next_number(rest), count = next_number(rest);
    if (!total || !count || *count == 0 || !rest.empty()) return std::nullopt;
    out.total = *total;
    out.count = *count;
    return out;
}

BenchWindows parse_bench_windows(std::string_view log) {
    BenchWindows windows;
    while (!log.empty()) {
        const std::size_t end = log.find('\n');
        std::string_view line = trimmed(log.substr(0, end));
        log.remove_prefix(end == log.npos ? log.size() : end + 1);
        if (!line.starts_with(kWindow)) continue;
        line.remove_prefix(kWindow.size());
        std::array<double, 10> fields{}; // number, cpu, user, kernel, apart, cr3, writes, reads, atomics, ipis
        bool whole = true;
        for (double& field : fields) {
            const auto number = next_number(line);
            whole = whole && number;
            field = static_cast<double>(number.value_or(0));
        }
        if (!whole || !line.empty()) continue;
        BenchCounts& counts = windows[static_cast<unsigned>(fields[0])];
        counts.user += fields[2];
        counts.kernel += fields[3];
        counts.apart += fields[4];
        counts.cr3_writes += fields[5];
        counts.msr_accesses += fields[6] + fields[7];
        counts.atomics += fields[8];
        counts.ipis += fields[9];
    }
    return windows;
}

void take_bench_line(const BenchLine& line, const BenchWindows& windows, BenchColumn& column) {
    const BenchRow* row = find_bench_row(line.row);
    if (row == nullptr || column.figures.contains(line.row)) return;
    if (!line.fail.empty()) {
        column.missing[line.row] = line.fail;
        return;
    }
    BenchFigure figure;
    figure.total = line.total;
    figure.count = line.count;
    figure.value = static_cast<double>(line.total) / static_cast<double>(line.count);
    if (const auto window = windows.find(row->number); window != windows.end())
        figure.beside = window->second.divided(static_cast<double>(line.count));
    column.figures[line.row] = figure;
    column.missing.erase(line.row);
}

void take_variant_line(const BenchLine& line, const BenchWindows& windows, const BenchVariant& variant,
                       BenchColumn& column) {
    BenchColumn alone;
    take_bench_line(line, windows, alone);
    const std::string key = variant_key(line.row, variant.name);
    if (const auto why = alone.missing.find(line.row); why != alone.missing.end()) column.missing[key] = why->second;
    const auto found = alone.figures.find(line.row);
    if (found == alone.figures.end()) return;
    BenchFigure figure = found->second;
    if (variant.name == kThird) {
        if (!figure.beside) {
            column.missing[key] = "only the plugin can tell the third agent's instructions apart";
            return;
        }
        figure.value = figure.beside->instructions();
        figure.total = static_cast<std::uint64_t>(figure.value * static_cast<double>(figure.count));
    }
    column.figures[key] = figure;
}

} // namespace aios::host
