#include "tools/aios/record/refusals.hpp"

#include <algorithm>
#include <format>
#include <map>
#include <set>
#include <tuple>

#include "abi/call_types.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/audit_record.hpp"
#include "tools/aios/record/report.hpp"

namespace aios::host {

namespace {

constexpr std::string_view kOfferCall = "intent.offer";
constexpr std::string_view kKernel = "kernel"; // as an agent that refuses
constexpr std::size_t kShortList = 12;

// Who started whom, as the kernel recorded it: an agent's name alone says nothing about the file that it stands in.
class Family {
public:
    Family(const std::vector<AuditRecord>& records, const UnitFiles& files) {
        for (const AuditRecord& record : records) {
            if (audit_kind_of(record.kind) != AuditKind::agent_start) continue;
            const UnitText* unit =
                starter_by_id(record.agent) == Starter::initd ? files.system.find(record.name.value_or("")) : nullptr;
            starters_[record.subject] = starter_by_id(record.agent);
            if (record.agent == 0) first_.insert(record.subject);
            if (unit != nullptr && unit->program == kCrewStarter) crew_starters_.insert(record.subject);
        }
    }
    [[nodiscard]] Starter of(std::uint64_t agent) const {
        const auto found = starters_.find(agent);
        return found != starters_.end() ? found->second : Starter::other;
    }

private:
    [[nodiscard]] Starter starter_by_id(std::uint64_t parent) const {
        if (first_.contains(parent)) return Starter::initd;
        return crew_starters_.contains(parent) ? Starter::agentsupervisor : Starter::other;
    }
    std::set<std::uint64_t> first_, crew_starters_; // agents that the kernel started; those of the crew's starter
    std::map<std::uint64_t, Starter> starters_;     // by child
};

class Lister {
public:
    explicit Lister(const UnitFiles& files) : files_(files) {}

    void add_told(const Refusal& told) {
        RefusalRow row{.agent = told.agent,
                       .by = told.told_by,
                       .call = told.call,
                       .object = told.object,
                       .text = told.text,
                       .grant = {}};
        if (RefusalRow* first = add(std::move(row), Starter::other)) first->grant = grant_of_told(told);
    }

    void add_kernels(const AuditRecord& record, std::string agent, Starter starter) {
        if (record.call == 0) return add_sum(record, std::move(agent), starter);
        const auto& [type, rights, number] = record.detail;
        const Error error = is_error_number(number) ? static_cast<Error>(number) : Error{};
        RefusalRow row{.agent = std::move(agent),
                       .by = std::string(kKernel),
                       .call = call_name(record.call),
                       .object = std::format("{} with {}", type_name(type), rights_names(rights)),
                       .text =
                           error == Error{} ? std::format("error {}", number) : std::string(error_info(error).sentence),
                       .count = record.count,
                       .grant = {}};
        if (RefusalRow* first = add(std::move(row), starter))
            first->grant = grant_for_call(files_, {first->agent, starter, record.call, static_cast<ObjectType>(type),
                                                   Rights(static_cast<std::uint32_t>(rights)), error});
    }

    std::vector<RefusalRow> finish() && { return std::move(rows_); }

private:
    // One record for several kinds of refusals, which have none of their own.
    void add_sum(const AuditRecord& record, std::string agent, Starter starter) {
        RefusalRow row{.agent = std::move(agent),
                       .by = std::string(kKernel),
                       .call = "",
                       .object = "",
                       .text = "one or several further kinds",
                       .count = record.count,
                       .grant = {}};
        if (RefusalRow* first = add(std::move(row), starter)) first->grant.why = "the log does not say what they were";
    }

    // Answers the row if it is new. One that is known is counted.
    RefusalRow* add(RefusalRow row, Starter starter) {
        const auto [at, is_new] =
            places_.try_emplace({row.agent, row.by, row.call, row.object, row.text, starter}, rows_.size());
        if (is_new) return &rows_.emplace_back(std::move(row));
        rows_[at->second].count += row.count;
        return nullptr;
    }

    [[nodiscard]] GrantLine grant_of_told(const Refusal& told) const {
        if (told.call == kOfferCall && !told.object.empty()) return grant_for_offer(files_, told.agent, told.object);
        if (const auto call = find_call_named(told.call))
            return grant_for_call(files_, {told.agent, starter_of(files_, told.agent), call->number, call->type,
                                           call->right, Error::bad_handle});
        return {.line = "", .place = "", .why = "it was told in words alone"};
    }

    using Key = std::tuple<std::string, std::string, std::string, std::string, std::string, Starter>;
    const UnitFiles& files_;
    std::vector<RefusalRow> rows_;
    std::map<Key, std::size_t> places_;
};

std::string show_row(const RefusalRow& row) {
    std::string out = std::format("  {}: ", printable(row.agent));
    if (!row.call.empty())
        out += std::format("{}{}{}, ", printable(row.call), row.object.empty() ? "" : " of ", printable(row.object));
    out += row.by == kKernel ? "by the kernel" : "told by " + printable(row.by);
    if (row.count > 1) out += std::format(", {} times", with_thousands(row.count));
    out += std::format(": {}\n", printable(row.text));
    if (row.grant.line.empty()) return out + std::format("      no grant would allow it: {}\n", row.grant.why);
    return out + std::format("      allowed by {} in {}\n", row.grant.line, row.grant.place);
}

} // namespace

std::vector<RefusalRow> list_refusals(const RunRecord& record, const UnitFiles& files) {
    Lister lister(files);
    for (const Refusal& told : record.refusals)
        lister.add_told(told);
    std::vector<AuditRecord> records;
    for (const std::string& item : record.audit)
        if (auto decoded = decode_audit_record(item)) records.push_back(std::move(*decoded));
    const AuditNames names(records);
    const Family family(records, files);
    for (const AuditRecord& one : records) {
        if (audit_kind_of(one.kind) != AuditKind::refusal) continue;
        const std::string_view name = names.of(one.agent);
        lister.add_kernels(one, name.empty() ? std::format("agent {}", one.agent) : std::string(name),
                           family.of(one.agent));
    }
    return std::move(lister).finish();
}

std::string show_refusals(const std::vector<RefusalRow>& rows, bool whole) {
    if (rows.empty()) return {};
    if (!whole && rows.size() > kShortList) {
        std::set<std::string_view> agents;
        for (const RefusalRow& row : rows)
            agents.insert(row.agent);
        return std::format(
            "Refusals: {} of {}; --verbose lists them with the grants that would allow them, and so does "
            "--json\n",
            counted(rows.size(), "kind"), counted(agents.size(), "agent"));
    }
    std::string out = "Refusals\n";
    for (const RefusalRow& row : rows)
        out += show_row(row);
    return out;
}

} // namespace aios::host
