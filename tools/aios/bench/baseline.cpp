#include "tools/aios/bench/baseline.hpp"

#include <cmath>
#include <format>

#include "tools/aios/host/json_text.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

double rounded(double value) { return std::round(value * 1000) / 1000; }

Json of_figure(const BenchColumn& column, const std::string& row) {
    const auto found = column.figures.find(row);
    if (found == column.figures.end()) {
        const auto why = column.missing.find(row);
        return {{"missing", why != column.missing.end() ? why->second : column.skipped}};
    }
    const BenchFigure& figure = found->second;
    Json out{{"value", rounded(figure.value)}, {"total", figure.total}, {"count", figure.count}};
    if (figure.beside)
        out["beside"] = {{"user", rounded(figure.beside->user)},
                         {"kernel", rounded(figure.beside->kernel)},
                         {"cr3_writes", rounded(figure.beside->cr3_writes)},
                         {"msr_accesses", rounded(figure.beside->msr_accesses)},
                         {"atomics", rounded(figure.beside->atomics)},
                         {"ipis", rounded(figure.beside->ipis)}};
    return out;
}

// False if `figure` is none; one that says why it is missing is left out.
bool take_figure(const Json& figure, const std::string& key, BenchBaseline& baseline) {
    if (!figure.is_object()) return false;
    if (figure.contains("missing")) return true;
    const Json value = figure.value("value", Json());
    if (!value.is_number() || value.get<double>() < 0) return false;
    baseline[key] = value.get<double>();
    return true;
}

std::string_view unit_name(BenchUnit unit) {
    switch (unit) {
    case BenchUnit::instructions:
        return "instructions";
    case BenchUnit::nanoseconds:
        return "nanoseconds";
    case BenchUnit::bytes:
        return "bytes";
    case BenchUnit::times:
        return "times";
    }
    return "";
}

} // namespace

std::string bench_json(std::string_view machine, const std::vector<std::string>& rows, const BenchColumn& own,
                       const BenchColumn& other) {
    Json out{{"version", kVersion}, {"machine", machine}, {"linux", other.skipped.empty() ? Json(other.name) : Json()}};
    if (!other.skipped.empty()) out["without_linux"] = other.skipped;
    out["rows"] = Json::array();
    for (const std::string& name : rows) {
        const BenchRow* row = find_bench_row(name);
        if (row == nullptr) continue;
        Json one{{"name", name}, {"unit", unit_name(row->unit)}, {"goal", row->goal}};
        one["aios"] = of_figure(own, name);
        one["linux"] = of_figure(other, name);
        for (const BenchVariant& variant : bench_variants()) {
            const std::string key = variant_key(name, variant.name);
            if (own.figures.contains(key) || own.missing.contains(key))
                one["variants"][variant.name] = of_figure(own, key);
        }
        out["rows"].push_back(std::move(one));
    }
    return json_text(out);
}

Outcome<BenchBaseline> parse_bench_baseline(std::string_view name, std::string_view text) {
    const auto refused = [&](std::string_view what) {
        return failure(Exit::bad_input, std::format("'{}' is no baseline: {}; ./aios bench kernel --json writes one.",
                                                    printable(name), what));
    };
    const Json in = Json::parse(text, nullptr, false);
    if (in.is_discarded() || !in.is_object()) return refused("it is not a JSON object");
    if (in.value("version", Json()) != kVersion) return refused(std::format("its version is not {}", kVersion));
    if (!in.contains("rows") || !in["rows"].is_array()) return refused("it has no list of rows");
    BenchBaseline baseline;
    for (const Json& row : in["rows"]) {
        if (!row.is_object() || !row.value("name", Json()).is_string()) return refused("a row has no name");
        const std::string row_name = row["name"].get<std::string>();
        const Json variants = row.value("variants", Json::object());
        if (!variants.is_object()) return refused(std::format("row '{}' has no variants", printable(row_name)));
        if (!take_figure(row.value("aios", Json()), row_name, baseline))
            return refused(std::format("row '{}' has no figure", printable(row_name)));
        for (const auto& [variant, figure] : variants.items())
            if (!take_figure(figure, variant_key(row_name, variant), baseline))
                return refused(std::format("row '{}' has no figure of '{}'", printable(row_name), printable(variant)));
    }
    return baseline;
}

BenchComparison compare_bench(const BenchBaseline& before, const std::vector<std::string>& rows,
                              const BenchColumn& now) {
    BenchComparison out;
    for (const std::string& name : rows) {
        const auto was = before.find(name);
        const auto is = now.figures.find(name);
        if (was == before.end()) {
            if (is != now.figures.end()) out.absent.push_back(name);
            continue;
        }
        if (is == now.figures.end()) {
            out.failed.push_back(name);
            continue;
        }
        const BenchRow* row = find_bench_row(name);
        const double allowed = row != nullptr && row->unit == BenchUnit::times ? kAllowedWorseOfPairs : kAllowedWorse;
        ++out.compared;
        if (is->second.value > was->second * (1 + allowed)) out.worse.push_back({name, was->second, is->second.value});
        if (is->second.value < was->second * (1 - allowed)) out.better.push_back(name);
    }
    return out;
}

} // namespace aios::host
