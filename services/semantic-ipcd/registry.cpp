#include "services/semantic-ipcd/registry.hpp"

#include <algorithm>
#include <format>

namespace aios::broker {
namespace {

std::string offer_text(const Offer& offer) {
    std::string text = offer.intent + " " + offer.description;
    std::ranges::replace(text, '.', ' ');
    return text;
}

bool types_fit(const Offer& offer, const Wanted& wanted, std::string& missing) {
    if (wanted.slots.empty()) return true;
    for (const SlotType& input : offer.inputs) {
        const auto given = std::ranges::find(wanted.slots, input.name, &SlotType::name);
        if (given == wanted.slots.end() || given->type != input.type) {
            missing = std::format("{} of {} needs slot {} of type {}", offer.intent, offer.agent_name, input.name,
                                  ipc::value_type_name(input.type));
            return false;
        }
    }
    return true;
}

std::string explain(const std::vector<Candidate>& candidates, bool by_name, const Wanted& wanted) {
    const Candidate& best = candidates.front();
    std::string why = by_name ? std::format("{} offers {}", best.offer->agent_name, best.offer->intent)
                              : std::format("{} offers {}, closest in meaning ({:.2f}) to \"{}\"",
                                            best.offer->agent_name, best.offer->intent, best.meaning, wanted.meaning);
    if (candidates.size() == 1) return why + "; no other agent fits";
    const Candidate& second = candidates[1];
    why += std::format("; load {:.2f}", best.load);
    if (second.score < best.score) {
        why += std::format(" against {:.2f} of {}", second.load, second.offer->agent_name);
    } else {
        why += std::format(", equal to {}, which was asked later", second.offer->agent_name);
    }
    return why;
}

} // namespace

Result<> Registry::offer(Offer offer) {
    if (offer.intent.empty() || offer.intent.size() > ipc::kMaxIntentNameBytes) return fail(Error::bad_format);
    if (offer.description.size() > kMaxDescriptionBytes) return fail(Error::too_large);
    if (offer.capacity == 0) offer.capacity = 1;
    auto vector = embedder_.embed(offer_text(offer));
    for (Entry& entry : entries_) {
        if (entry.offer.agent == offer.agent && entry.offer.intent == offer.intent) {
            entry = {std::move(offer), std::move(vector)};
            return {};
        }
    }
    const auto own =
        std::ranges::count_if(entries_, [&](const Entry& entry) { return entry.offer.agent == offer.agent; });
    if (entries_.size() == kMaxOffers || static_cast<std::size_t>(own) == kMaxOffersEach) return fail(Error::too_large);
    entries_.push_back({std::move(offer), std::move(vector)});
    return {};
}

void Registry::withdraw(std::uint64_t agent, std::string_view intent) {
    std::erase_if(entries_,
                  [&](const Entry& entry) { return entry.offer.agent == agent && entry.offer.intent == intent; });
}

void Registry::agent_ended(std::uint64_t agent) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.offer.agent == agent; });
    std::erase_if(loads_, [&](const Load& load) { return load.agent == agent; });
}

const Registry::Load* Registry::load_entry(std::uint64_t agent) const {
    const auto found = std::ranges::find(loads_, agent, &Load::agent);
    return found == loads_.end() ? nullptr : &*found;
}

// nullptr for an agent that offers nothing: so there is at most one entry for each agent with an offer.
Registry::Load* Registry::make_load(std::uint64_t agent) {
    if (const auto found = std::ranges::find(loads_, agent, &Load::agent); found != loads_.end()) return &*found;
    if (!std::ranges::any_of(entries_, [&](const Entry& entry) { return entry.offer.agent == agent; })) return nullptr;
    return &loads_.emplace_back(agent, 0, 0);
}

void Registry::report_load(std::uint64_t agent, std::uint64_t requests) {
    if (Load* load = make_load(agent); load != nullptr) load->requests = requests;
}

void Registry::routed(std::uint64_t agent) {
    Load* load = make_load(agent);
    if (load == nullptr) return;
    ++load->requests;
    load->last_routed = ++routings_;
}

Choice Registry::choose(const Wanted& wanted) const {
    Choice choice;
    const bool by_name =
        std::ranges::any_of(entries_, [&](const Entry& entry) { return entry.offer.intent == wanted.intent; });
    const cognitive::Vector meaning = by_name ? cognitive::Vector{} : embedder_.embed(wanted.meaning);
    std::string missing;
    for (const Entry& entry : entries_) {
        if (entry.offer.agent == wanted.not_agent) continue;
        double fit = 1;
        if (by_name) {
            if (entry.offer.intent != wanted.intent) continue;
        } else {
            fit = cognitive::similarity(entry.vector, meaning);
            if (fit < kMeaningThreshold) continue;
        }
        if (!types_fit(entry.offer, wanted, missing)) continue;
        const Load* known = load_entry(entry.offer.agent);
        const double load =
            known == nullptr ? 0 : static_cast<double>(known->requests) / static_cast<double>(entry.offer.capacity);
        // Load counts as what is left of the agent, so that it stays in [0, 1] however long the queue is.
        const double score =
            kMeaningWeight * fit + kLoadWeight / (1 + load) + (entry.offer.is_identified ? kTrustWeight : 0);
        choice.candidates.push_back({&entry.offer, score, fit, load, known == nullptr ? 0 : known->last_routed});
    }
    if (choice.candidates.empty()) {
        const std::string asked = wanted.intent.empty() ? "\"" + wanted.meaning + "\"" : wanted.intent;
        choice.why = missing.empty() ? "no agent offers " + asked : "no offer fits " + asked + ": " + missing;
        return choice;
    }
    std::ranges::stable_sort(choice.candidates, [](const Candidate& a, const Candidate& b) {
        return a.score != b.score ? a.score > b.score : a.last_routed < b.last_routed;
    });
    choice.why = explain(choice.candidates, by_name, wanted);
    return choice;
}

std::vector<const Offer*> Registry::all() const {
    std::vector<const Offer*> offers;
    for (const Entry& entry : entries_) {
        offers.push_back(&entry.offer);
    }
    return offers;
}

} // namespace aios::broker
