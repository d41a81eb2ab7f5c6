// Domain and problem to a Task. See pddl.hpp.
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <type_traits>

#include "runtime/planning/expression.hpp"

namespace aios::planning {

namespace {

[[noreturn]] void wrong(const Expression& at, std::string sentence) { throw Complaint{at.line, std::move(sentence)}; }

// Types, objects and predicates by name.
class Names {
public:
    Names() { types_.emplace("object", std::set<std::string>{}); }

    // "a b - t c" : calls back with each name and the types that it is of.
    template <typename F>
    static void typed_list(const std::vector<Expression>& items, std::size_t from, F&& each) {
        std::vector<const Expression*> waiting;
        auto flush = [&](const std::vector<std::string>& types) {
            for (const Expression* one : waiting)
                each(*one, types);
            waiting.clear();
        };
        for (std::size_t i = from; i < items.size(); ++i) {
            if (!items[i].is("-")) {
                if (items[i].is_list()) wrong(items[i], "has a list where a name is expected");
                waiting.push_back(&items[i]);
                continue;
            }
            if (++i == items.size()) wrong(items[i - 1], "ends where a type is expected");
            std::vector<std::string> types;
            if (items[i].heads("either")) {
                for (std::size_t k = 1; k < items[i].items.size(); ++k)
                    types.push_back(items[i].items[k].word);
            } else if (!items[i].is_list()) {
                types.push_back(items[i].word);
            } else {
                wrong(items[i], "has a list where a type is expected");
            }
            flush(types);
        }
        flush({"object"});
    }

    void read_types(const Expression& from) {
        typed_list(from.items, 1, [&](const Expression& name, const std::vector<std::string>& above) {
            for (const std::string& one : above) {
                types_.try_emplace(one);
                if (one != name.word) types_[name.word].insert(one);
            }
        });
    }
    void read_objects(const Expression& from, Task& task) {
        typed_list(from.items, 1, [&](const Expression& name, const std::vector<std::string>& types) {
            for (const std::string& type : types)
                if (!types_.contains(type))
                    wrong(name, "gives " + name.word + " the type " + type + ", which is not declared");
            const auto [at, is_new] = objects_.try_emplace(name.word, static_cast<Term>(task.objects.size()));
            if (is_new) {
                task.objects.push_back(name.word);
                types_of_.emplace_back();
            }
            types_of_[static_cast<std::size_t>(at->second)].insert(types.begin(), types.end());
        });
    }
    // Predicates and functions: name and number of arguments.
    void declare(std::map<std::string, std::pair<std::uint32_t, std::size_t>>& into, std::vector<std::string>& list,
                 const Expression& from) {
        if (!from.is_list() || from.items.empty() || from.items[0].is_list())
            wrong(from, "has a declaration that is no list with a name");
        std::size_t count = 0;
        typed_list(from.items, 1, [&](const Expression&, const std::vector<std::string>&) { ++count; });
        if (!into.emplace(from.items[0].word, std::pair(static_cast<std::uint32_t>(list.size()), count)).second)
            wrong(from, "declares " + from.items[0].word + " twice");
        list.push_back(from.items[0].word);
    }

    // The objects that one of `types` allows.
    std::vector<Term> allowed(const std::vector<std::string>& types, const Expression& at) const {
        for (const std::string& type : types)
            if (!types_.contains(type)) wrong(at, "uses the type " + type + ", which is not declared");
        std::vector<Term> made;
        for (std::size_t i = 0; i < types_of_.size(); ++i) {
            const bool fits = std::ranges::any_of(types_of_[i], [&](const std::string& own) {
                return std::ranges::any_of(types, [&](const std::string& type) { return is_below(own, type); });
            });
            if (fits) made.push_back(static_cast<Term>(i));
        }
        return made;
    }

    std::optional<Term> object(const std::string& name) const {
        const auto at = objects_.find(name);
        return at == objects_.end() ? std::nullopt : std::optional(at->second);
    }

    std::map<std::string, std::pair<std::uint32_t, std::size_t>> predicates, functions;

private:
    bool is_below(const std::string& inner, const std::string& outer) const {
        std::set<std::string> seen;
        std::vector<std::string> open = {inner};
        while (!open.empty()) {
            const std::string next = std::move(open.back());
            open.pop_back();
            if (next == outer || outer == "object") return true;
            if (!seen.insert(next).second) continue;
            if (const auto at = types_.find(next); at != types_.end())
                open.insert(open.end(), at->second.begin(), at->second.end());
        }
        return false;
    }

    std::map<std::string, std::set<std::string>> types_; // with those above each
    std::map<std::string, Term> objects_;
    std::vector<std::set<std::string>> types_of_;
};

class Parser {
public:
    Task all(std::string_view domain, std::string_view problem) {
        const Expression domain_text = part("domain", [&] { return read_expression(domain); });
        const Expression problem_text = part("problem", [&] { return read_expression(problem); });
        part("domain", [&] { declarations(domain_text); });
        part("problem", [&] { objects(problem_text); });
        part("domain", [&] { actions(domain_text); });
        part("problem", [&] { state_and_goal(problem_text); });
        return std::move(task_);
    }

private:
    using Parameters = std::map<std::string, Term>;

    template <typename F>
    static std::invoke_result_t<F> part(std::string_view name, F&& read) {
        try {
            return read();
        } catch (Complaint& complaint) {
            complaint.sentence = std::string(name) + " " + complaint.sentence;
            throw;
        }
    }

    void declarations(const Expression& from) {
        if (!from.heads("define")) wrong(from, "does not begin with (define");
        for (const Expression& section : from.items) {
            if (section.heads(":types")) names_.read_types(section);
            if (section.heads(":constants")) names_.read_objects(section, task_);
            if (section.heads(":predicates"))
                for (std::size_t i = 1; i < section.items.size(); ++i)
                    names_.declare(names_.predicates, task_.predicates, section.items[i]);
            if (section.heads(":functions")) functions(section);
            for (const std::string_view unknown : {":durative-action", ":derived", ":constraints"})
                if (section.heads(unknown))
                    wrong(section, "uses " + std::string(unknown) + ", which this planner does not know");
        }
    }
    void functions(const Expression& section) {
        for (std::size_t i = 1; i < section.items.size(); ++i) {
            if (section.items[i].is("-")) {
                ++i; // the type "number"
                continue;
            }
            names_.declare(names_.functions, task_.functions, section.items[i]);
        }
    }
    void objects(const Expression& from) {
        if (!from.heads("define")) wrong(from, "does not begin with (define");
        for (const Expression& section : from.items)
            if (section.heads(":objects")) names_.read_objects(section, task_);
    }
    void actions(const Expression& from) {
        for (const Expression& section : from.items)
            if (section.heads(":action")) action(section);
    }

    void action(const Expression& from) {
        if (from.items.size() < 2 || from.items[1].is_list()) wrong(from, "has an action without a name");
        Action made;
        made.name = from.items[1].word;
        Parameters parameters;
        for (std::size_t i = 2; i + 1 < from.items.size(); i += 2) {
            const Expression &key = from.items[i], &value = from.items[i + 1];
            if (key.is(":parameters")) {
                Names::typed_list(value.items, 0, [&](const Expression& name, const std::vector<std::string>& types) {
                    if (!parameters.emplace(name.word, -static_cast<Term>(parameters.size()) - 1).second)
                        wrong(name, "has the parameter " + name.word + " twice in " + made.name);
                    made.parameters.push_back(names_.allowed(types, name));
                });
            } else if (key.is(":precondition")) {
                condition(value, parameters, made.precondition);
            } else if (key.is(":effect")) {
                effect(value, parameters, made);
            } else {
                wrong(key, "has a part of an action that is not known: " + key.word);
            }
        }
        task_.actions.push_back(std::move(made));
    }

    Term term(const Expression& from, const Parameters& parameters) const {
        if (from.is_list()) wrong(from, "has a list where an object is expected");
        if (const auto at = parameters.find(from.word); at != parameters.end()) return at->second;
        const auto object = names_.object(from.word);
        if (!object) wrong(from, "names " + from.word + ", which is no object and no parameter");
        return *object;
    }

    Atom atom(const Expression& from, const Parameters& parameters, bool is_function = false) const {
        if (!from.is_list() || from.items.empty() || from.items[0].is_list())
            wrong(from, "has no atom where one is expected");
        const auto& known = is_function ? names_.functions : names_.predicates;
        const std::string& name = from.items[0].word;
        for (const std::string_view unknown :
             {"or", "imply", "exists", "forall", "when", "increase", "decrease", "assign", "<", ">", "<=", ">="})
            if (name == unknown) wrong(from, "uses '" + name + "' where this planner knows only and, not, = and atoms");
        const auto at = known.find(name);
        if (at == known.end()) wrong(from, "uses " + name + ", which is not declared");
        if (from.items.size() - 1 != at->second.second)
            wrong(from, "gives " + name + " another number of arguments than it is declared with");
        Atom made;
        made.predicate = at->second.first;
        for (std::size_t i = 1; i < from.items.size(); ++i)
            made.terms.push_back(term(from.items[i], parameters));
        return made;
    }

    void condition(const Expression& from, const Parameters& parameters, Condition& into, bool negated = false) const {
        if (from.is_list() && from.items.empty()) return;
        if (from.heads("and") && !negated) {
            for (std::size_t i = 1; i < from.items.size(); ++i)
                condition(from.items[i], parameters, into);
        } else if (from.heads("not") && from.items.size() == 2) {
            condition(from.items[1], parameters, into, !negated);
        } else if (from.heads("=") && from.items.size() == 3) {
            into.equalities.push_back({term(from.items[1], parameters), term(from.items[2], parameters), negated});
        } else {
            into.literals.push_back({atom(from, parameters), negated});
        }
    }

    void effect(const Expression& from, const Parameters& parameters, Action& into) {
        if (from.is_list() && from.items.empty()) return;
        if (from.heads("and")) {
            for (std::size_t i = 1; i < from.items.size(); ++i)
                effect(from.items[i], parameters, into);
        } else if (from.heads("not") && from.items.size() == 2) {
            into.deletes.push_back(atom(from.items[1], parameters));
        } else if (from.heads("increase") && from.items.size() == 3 && from.items[1].heads("total-cost")) {
            Cost cost;
            if (from.items[2].is_list()) {
                cost.is_function = true;
                cost.function = atom(from.items[2], parameters, true);
            } else {
                cost.constant = number(from.items[2]);
            }
            into.costs.push_back(std::move(cost));
        } else {
            into.adds.push_back(atom(from, parameters));
        }
    }

    static std::uint32_t number(const Expression& from) {
        std::uint32_t value = 0;
        const char* end = from.word.data() + from.word.size();
        const auto [at, error] = std::from_chars(from.word.data(), end, value);
        const std::string_view rest(at, static_cast<std::size_t>(end - at));
        const bool is_whole =
            rest.empty() || (rest[0] == '.' && rest.find_first_not_of('0', 1) == std::string_view::npos);
        if (error != std::errc() || !is_whole || value > 1'000'000'000)
            wrong(from, "has a cost that is no whole number up to a billion: " + from.word);
        return value;
    }

    void state_and_goal(const Expression& from) {
        for (const Expression& section : from.items) {
            if (section.heads(":init")) {
                for (std::size_t i = 1; i < section.items.size(); ++i)
                    initial(section.items[i]);
            } else if (section.heads(":goal") && section.items.size() == 2) {
                condition(section.items[1], {}, task_.goal);
                has_goal_ = true;
            } else if (section.heads(":metric")) {
                if (section.items.size() != 3 || !section.items[1].is("minimize") ||
                    !section.items[2].heads("total-cost"))
                    wrong(section, "asks for a metric other than to minimize (total-cost)");
                task_.has_costs = true;
            } else if (section.heads(":constraints")) {
                wrong(section, "uses :constraints, which this planner does not know");
            }
        }
        if (!has_goal_) wrong(from, "has no goal");
    }
    void initial(const Expression& from) {
        if (!from.heads("=") || from.items.size() != 3) {
            task_.initial.push_back(atom(from, {}));
        } else if (!from.items[1].heads("total-cost")) {
            task_.values.push_back({atom(from.items[1], {}, true), number(from.items[2])});
        }
    }

    Names names_;
    Task task_;
    bool has_goal_ = false;
};

} // namespace

std::expected<Task, Complaint> parse_task(std::string_view domain, std::string_view problem) {
    try {
        return Parser().all(domain, problem);
    } catch (Complaint& complaint) {
        return std::unexpected(std::move(complaint));
    }
}

std::string text_of(const Task& task, const Action& action, const std::vector<Term>& arguments) {
    std::string out = "(" + action.name;
    for (const Term one : arguments)
        out += " " + task.objects[static_cast<std::size_t>(one)];
    return out + ")";
}

} // namespace aios::planning
