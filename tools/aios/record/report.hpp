// What a run reports, once it is over: one page for people, and the same as JSON (docs/report.schema.json). Pure
// functions of the gathered facts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/aios/input/documents.hpp"
#include "tools/aios/record/record.hpp"
#include "tools/aios/record/refusals.hpp"

namespace aios::host {

struct Report {
    const RunRecord& record;
    const std::vector<std::string>& questions;
    std::string outcome; // outcome_name
    int exit_status = 0;
    std::string cause;       // the sentence of a run that failed
    std::string boot_kind;   // pvh, uefi
    std::string accelerator; // tcg, kvm
    std::string accelerator_reason;
    std::uint64_t processors = 0;
    std::uint64_t memory_mib = 0;
    std::uint64_t documents = 0;
    std::uint64_t document_bytes = 0;
    double seconds = 0;     // from the start of QEMU to its end
    Hash recomputed_root{}; // over record.audit
    std::string audit_file; // where the log was kept
    std::vector<ConvertedFile> converted = {};
    std::vector<RefusalRow> refusals = {};
    bool verbose = false;
    std::vector<SkippedFile> skipped =
        {}; // what of the documents' folder was not taken in, or changed while it was read
};

// An answer as it is printed while the run goes on.
[[nodiscard]] std::string show_answer(std::size_t question, std::string_view text, const Answer& answer);

// True if an answer's text is made of its passages alone, with a blank line between two. With `verified`, only of those
// that are in the documents.
enum class Of { all_passages, verified_passages };
[[nodiscard]] bool is_made_of(const Answer& answer, Of which);

[[nodiscard]] std::string show_page(const Report& report);
[[nodiscard]] std::string report_json(const Report& report);

// How an agent ended: "exited with 0", "fault 14 at 0x0", "ended with the run"; empty while it lives.
[[nodiscard]] std::string describe_end(const Account& account);
// "running", "dead: exited with 0", "ended with the run"
[[nodiscard]] std::string describe_state(const Account& account);

// "memory", "channel"; "map", "send"; or the number where this version has no name for it.
[[nodiscard]] std::string type_name(std::uint64_t type);
[[nodiscard]] std::string right_name(std::uint64_t bit);
[[nodiscard]] std::string resource_name(std::uint64_t number);

} // namespace aios::host
