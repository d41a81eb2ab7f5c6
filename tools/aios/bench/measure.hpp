// Measures rows: which boots they need on either system, and what becomes of what was said there. On AIOS each row has
// a boot of its own, so that its figure is the same whatever else is measured; Linux, whose boot takes long, does the
// rows of a group one after the other. A boot that goes wrong takes the rows along that it had not told yet, each with
// the reason.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/bench/boot.hpp"
#include "tools/aios/bench/figures.hpp"
#include "tools/aios/host/places.hpp"

namespace aios::host {

class BenchMeasurer {
public:
    BenchMeasurer(const Places& places, std::filesystem::path scratch, Progress& progress);

    [[nodiscard]] Outcome<BenchColumn> measure_aios(const std::vector<std::string>& rows);
    // Adds the variants of these rows to their column, each in a boot of its own.
    [[nodiscard]] Outcome<> measure_variants(const std::vector<std::string>& rows, BenchColumn& column);
    // To be called before: `kernel` may be empty: Debian's. Refuses one that is the user's own and cannot be used.
    [[nodiscard]] Outcome<> find_linux(const std::filesystem::path& kernel);
    // A Linux that could not be had gives a column that says why.
    [[nodiscard]] Outcome<BenchColumn> measure_linux(const std::vector<std::string>& rows);
    [[nodiscard]] const BenchPlugin& plugin() const { return plugin_; }

private:
    using Rows = std::vector<std::string>;
    // One boot that measures `rows`.
    [[nodiscard]] Outcome<BenchBoot> boot_aios(const Rows& rows, std::string_view variant, unsigned processors,
                                               BenchClock clock);
    [[nodiscard]] Outcome<BenchBoot> boot_linux(const Rows& rows, unsigned processors, BenchClock clock);
    [[nodiscard]] Outcome<> measure_system(const Rows& rows, BenchColumn& column);
    void tell_wrong(std::string_view system, const BenchBoot& boot);
    template <typename Boot>
    [[nodiscard]] Outcome<> measure_rows(const Rows& rows, BenchColumn& column, Boot boot);
    template <typename Boot>
    [[nodiscard]] Outcome<> measure_pairs(BenchColumn& column, Boot boot);

    const Places& places_;
    const std::filesystem::path scratch_;
    Progress& progress_;
    BenchPlugin plugin_;
    std::filesystem::path linux_kernel_;
    std::string linux_name_ = "Linux";
    std::string linux_skipped_;
    std::optional<double> firmware_;           // instructions from reset to the entry of a kernel
    std::optional<std::uint64_t> linux_began_; // the counter when Linux's first program began
    std::optional<double> linux_executed_;     // instructions executed until then, if they are counted
};

} // namespace aios::host
