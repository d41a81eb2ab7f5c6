// The job bundle as the crew sees it (abi/messages.cddl, job section), and frames to the host (job-message).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/cbor.hpp"
#include "runtime/application/agent.hpp"

namespace aios::desk {

inline constexpr std::string_view kDocuments = "docs/";
inline constexpr std::string_view kQuestions = "questions/";

struct JobFile {
    std::string path; // in the tree
    std::uint64_t bytes;
};

// All files of the tree whose path starts with `folder`, in the tree's order.
Result<std::vector<JobFile>> list_files(Handle tree, std::string_view folder);
// A whole file. not_found, integrity.
Result<std::string> read_file(Handle self, Handle tree, std::string_view path);

// Sends one job-message to the host. `put` writes the map's pairs behind key 0.
template <typename Put>
Result<> tell_host(Handle port, std::string_view kind, std::size_t pairs, Put&& put) {
    auto write = [&](cbor::Encoder& out) {
        out.map(pairs + 1);
        out.key(0).text(kind);
        put(out);
    };
    auto counting = cbor::Encoder::counting();
    write(counting);
    std::vector<std::byte> bytes(counting.size());
    cbor::Encoder out(bytes);
    write(out);
    const Bytes encoded = TRY(out.finish());
    TRY(sys::host_send(port, encoded.data(), encoded.size()));
    return {};
}

Result<> tell_progress(Handle port, std::string_view what, std::uint64_t done, std::uint64_t total);

} // namespace aios::desk
