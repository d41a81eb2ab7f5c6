// `aios-host container`: builds a container without a run, for developers.
#include <cstdio>
#include <format>

#include "tools/aios/commands.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/bundle.hpp"
#include "tools/aios/options.hpp"

namespace aios::host {

Outcome<Exit> command_container(const Places& places, ArgumentList arguments) {
    const ContainerOptions options = HOST_TRY(parse_container(arguments));
    Bundle boot = HOST_TRY(read_boot_list(options.boot_list.empty() ? places.bundle_list("boot") : options.boot_list));
    Documents documents;
    if (!options.documents.empty()) {
        std::vector<DocumentSource> sources;
        for (const auto& path : options.documents)
            sources.push_back({path, ""});
        documents = HOST_TRY(gather_documents(sources));
    }
    Job job = HOST_TRY(make_job(documents.list, options.questions));
    const std::uint64_t bytes = HOST_TRY(write_container(options.out, boot, job.bundle));
    std::printf("%s: %s\n", printable(options.out.native()).c_str(), human_bytes(bytes).c_str());
    return Exit::well;
}

} // namespace aios::host
