#include "bench/crypto/run.hpp"

#include <cstdio>
#include <iterator>

#include "bench/crypto/measure.hpp"
#include "bench/crypto/report.hpp"

namespace aios::bench {

namespace {

// The exit statuses of `aios`.
constexpr int kWell = 0;
constexpr int kWrongUse = 2;
constexpr int kBadInput = 3;
constexpr int kFailed = 5;

int failed(int status, const std::string& sentence) {
    std::fprintf(stderr, "aios: %s\n", sentence.c_str());
    return status;
}

bool write_file(const std::string& path, const std::string& text) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) return false;
    const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    return std::fclose(file) == 0 && written;
}

} // namespace

int run(std::span<const std::string> arguments) {
    Settings settings;
    Machine machine;
    std::string json;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const bool has_value = i + 1 < arguments.size();
        if (arguments[i] == "--quick")
            settings.quick = true;
        else if (arguments[i] == "--json" && has_value)
            json = arguments[++i];
        else if (arguments[i] == "--without-openssl" && has_value)
            machine.without_openssl = arguments[++i];
        else
            return failed(kWrongUse, "the benchmark does not know '" + arguments[i] + "'.");
    }
    machine.processor = processor_name();
    machine.pinned = pin_to_one_cpu();
    machine.ticks_a_second = ticks_a_second();
    machine.openssl = openssl_version();
    std::vector<Operation> operations;
    for (const auto list : {kem_operations, signature_operations, hash_based_operations, symmetric_operations}) {
        auto part = list();
        operations.insert(operations.end(), std::move_iterator(part.begin()), std::move_iterator(part.end()));
    }
    std::optional<Failure> failure;
    const std::vector<Row> rows = measure(std::move(operations), settings, failure);
    if (failure) return failed(kFailed, failure->what);
    if (!json.empty() && !write_file(json, as_json(machine, rows)))
        return failed(kBadInput, "'" + json + "' could not be written.");
    std::fputs(as_table(machine, rows).c_str(), stdout);
    return std::fflush(stdout) == 0 ? kWell : failed(kFailed, "standard output could not be written.");
}

} // namespace aios::bench
