#include "services/semantic-ipcd/registry.hpp"

#include <algorithm>
#include <format>
#include <iterator>

#include "runtime/memory/question.hpp"

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

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    for (const auto& stem : memory::parse_question(text).stems) {
        words.push_back(stem.text);
    }
    std::ranges::sort(words);
    return words;
}

// The floor: see registry.hpp.
bool is_meant(const std::vector<std::string>& request, const std::vector<std::string>& offer) {
    std::vector<std::string> shared;
    std::ranges::set_intersection(request, offer, std::back_inserter(shared));
    if (shared.empty()) return false;
    if (shared.size() == request.size()) return true;
    return shared.size() >= 2 && static_cast<double>(shared.size()) >= kMinShare * static_cast<double>(request.size());
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
    auto words = words_of(offer_text(offer));
    for (Entry& entry : entries_) {
        if (entry.offer.agent == offer.agent && entry.offer.intent == offer.intent) {
            entry = {std::move(offer), std::move(vector), std::move(words)};
            return {};
        }
    }
    const auto own =
        std::ranges::count_if(entries_, [&](const Entry& entry) { return entry.offer.agent == offer.agent; });
    if (entries_.size() == kMaxOffers || static_cast<std::size_t>(own) == kMaxOffersEach) return fail(Error::too_large);
    entries_.push_back({std::move(offer), std::move(vector), std::move(words)});
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

bool Registry::is_asked_for(const Offer& offer, const Wanted& wanted) const {
    return offer.agent != wanted.not_agent && (wanted.from.empty() || offer.agent_name == wanted.from) &&
           (wanted.identity.empty() || offer.identity == wanted.identity);
}

Registry::Meant Registry::find_meant(const Wanted& wanted, std::string& why) const {
    const cognitive::Vector vector = embedder_.embed(wanted.meaning);
    const std::vector<std::string> words = words_of(wanted.meaning);
    Meant best, nearest, second; // above the floor; of all; of all other intents
    std::string missing;
    for (const Entry& entry : entries_) {
        if (!is_asked_for(entry.offer, wanted) || !types_fit(entry.offer, wanted, missing)) continue;
        const double fit = cognitive::similarity(entry.vector, vector);
        if ((best.entry == nullptr || fit > best.fit) && is_meant(words, entry.words)) best = {&entry, fit};
        if (nearest.entry == nullptr || fit > nearest.fit) {
            if (nearest.entry != nullptr && nearest.entry->offer.intent != entry.offer.intent) second = nearest;
            nearest = {&entry, fit};
        } else if (entry.offer.intent != nearest.entry->offer.intent && (second.entry == nullptr || fit > second.fit)) {
            second = {&entry, fit};
        }
    }
    if (best.entry == nullptr) {
        why = std::format("no agent offers \"{}\"", wanted.meaning);
        const auto name = [](const Meant& meant) {
            return std::format("{} of {} ({:.2f})", meant.entry->offer.intent, meant.entry->offer.agent_name,
                               meant.fit);
        };
        if (nearest.entry != nullptr) why += "; nearest: " + name(nearest);
        if (second.entry != nullptr) why += ", " + name(second);
        if (!missing.empty()) why += "; left out: " + missing;
    }
    return best;
}

Choice Registry::choose(const Wanted& wanted) const {
    Choice choice;
    const bool by_name = wanted.meaning.empty() || std::ranges::any_of(entries_, [&](const Entry& entry) {
                             return entry.offer.intent == wanted.intent;
                         });
    Meant meant;
    if (!by_name) {
        meant = find_meant(wanted, choice.why);
        if (meant.entry == nullptr) return choice;
    }
    const std::string& intent = by_name ? wanted.intent : meant.entry->offer.intent;
    std::string missing;
    for (const Entry& entry : entries_) {
        const Offer& offer = entry.offer;
        if (offer.intent != intent || !is_asked_for(offer, wanted) || !types_fit(offer, wanted, missing)) continue;
        const Load* known = load_entry(offer.agent);
        const double load =
            known == nullptr ? 0 : static_cast<double>(known->requests) / static_cast<double>(offer.capacity);
        choice.candidates.push_back(
            {&offer, 1 / (1 + load), by_name ? 1 : meant.fit, load, known == nullptr ? 0 : known->last_routed});
    }
    if (choice.candidates.empty()) {
        const std::string from = wanted.from.empty() ? "" : " from " + wanted.from;
        choice.why = missing.empty() ? "no agent offers " + intent + from : "no offer fits " + intent + ": " + missing;
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
