#include "tools/aios/bench/options.hpp"

#include <algorithm>
#include <format>

#include "tools/aios/bench/rows.hpp"
#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

std::string all_names() {
    std::string out;
    for (const BenchRow& row : bench_rows())
        out += (out.empty() ? "" : ", ") + std::string(row.name);
    return out;
}

} // namespace

Outcome<BenchOptions> parse_bench(ArgumentList arguments) {
    BenchOptions options;
    std::vector<std::string> wanted;
    CommandLine line("bench kernel");
    line.value("--row", wanted);
    line.value("--linux", options.linux_kernel);
    line.flag("--without-linux", options.without_linux);
    line.value("--json", options.json);
    line.value("--markdown", options.markdown);
    line.value("--baseline", options.baseline);
    line.flag("--compare", options.compare);
    line.flag("--quick", options.quick);
    bool without_variants = false;
    line.flag("--without-variants", without_variants);
    line.ignored_flag("--yes");
    HOST_TRY(line.parse_options(arguments));
    for (const std::string& name : wanted)
        if (find_bench_row(name) == nullptr)
            return failure(Exit::wrong_use,
                           std::format("there is no row '{}'; the rows are {}.", printable(name), all_names()));
    if (options.linux_kernel && options.without_linux)
        return failure(Exit::wrong_use, "--linux and --without-linux exclude each other.");
    if (options.baseline && !options.compare)
        return failure(Exit::wrong_use, "--baseline is what --compare compares with; give --compare too.");
    for (const BenchRow& row : bench_rows())
        if (wanted.empty() ? row.quick || !options.quick : std::ranges::contains(wanted, row.name))
            options.rows.emplace_back(row.name);
    options.variants = !options.quick && !without_variants;
    return options;
}

} // namespace aios::host
