// Instructions of the policy machine on sets, records, entities, strings and extension types. See program.hpp.
#include <algorithm>
#include <memory>
#include <optional>

#include "policy/machine.hpp"

namespace aios::policy {

using Kind = Value::Kind;

template <typename T>
Result<std::span<T>> Machine::allocate(std::size_t count) {
    const std::size_t start = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
    if (start > workspace_.arena.size() || count > (workspace_.arena.size() - start) / sizeof(T))
        return fail(Error::buffer_small);
    used_ = start + count * sizeof(T);
    // SAFETY: within the arena, aligned; the objects are made here and need no destruction.
    T* first = reinterpret_cast<T*>(workspace_.arena.data() + start);
    std::uninitialized_default_construct_n(first, count);
    return std::span<T>(first, count);
}
template Result<std::span<EntityUid>> Machine::allocate<EntityUid>(std::size_t);

Machine::Step Machine::make_set(std::uint32_t count) {
    if (count > depth_) return fail(Error::bad_format);
    TRY(spend(count));
    const std::span<Value> elements = TRY(allocate<Value>(count));
    unsigned nesting = 0;
    depth_ -= count;
    for (std::uint32_t i = 0; i < count; ++i) {
        elements[i] = workspace_.stack[depth_ + i];
        nesting = std::max<unsigned>(nesting, elements[i].nesting);
    }
    if (nesting >= kMaxNesting) return fail(Error::too_large);
    TRY(push(Value::set(elements.first(canonical_set(elements)), static_cast<std::uint8_t>(nesting + 1))));
    return next();
}

Machine::Step Machine::make_record(std::uint32_t count, std::span<const std::uint32_t> code) {
    if (count > depth_) return fail(Error::bad_format);
    TRY(spend(count));
    const std::span<Field> fields = TRY(allocate<Field>(count));
    unsigned nesting = 0;
    depth_ -= count;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t key = TRY(word(code));
        fields[i] = {TRY(program_.string(key)), workspace_.stack[depth_ + i]};
        nesting = std::max<unsigned>(nesting, fields[i].value.nesting);
    }
    if (nesting >= kMaxNesting) return fail(Error::too_large);
    sort_fields(fields);
    TRY(push(Value::record(fields, static_cast<std::uint8_t>(nesting + 1))));
    return next();
}

Machine::Step Machine::is_in_hierarchy() {
    const Value right = TRY(pop());
    const Value left = TRY(pop());
    if (left.kind != Kind::entity) return errs(Verdict::type_error);
    bool found = false;
    if (right.kind == Kind::entity) {
        found = entities_.is_in(*left.uid, *right.uid);
    } else if (right.kind == Kind::set) {
        TRY(spend(right.count));
        for (const Value& element : right.as_set()) // all are looked at: one that is no entity is an error
            if (element.kind != Kind::entity) return errs(Verdict::type_error);
        found = std::ranges::any_of(right.as_set(),
                                    [&](const Value& element) { return entities_.is_in(*left.uid, *element.uid); });
    } else {
        return errs(Verdict::type_error);
    }
    TRY(push(Value::boolean(found)));
    return next();
}

Machine::Step Machine::membership(Op op) {
    const Value right = op == Op::is_empty ? Value() : TRY(pop());
    const Value left = TRY(pop());
    const bool wants_set = op == Op::contains_all || op == Op::contains_any;
    if (left.kind != Kind::set || (wants_set && right.kind != Kind::set)) return errs(Verdict::type_error);
    TRY(spend(left.count + (wants_set ? right.count : 0)));
    auto has = [&](const Value& element) { return contains(left.as_set(), element); };
    bool found = left.count == 0; // is_empty
    if (op == Op::contains) found = has(right);
    if (op == Op::contains_all) found = std::ranges::all_of(right.as_set(), has);
    if (op == Op::contains_any) found = std::ranges::any_of(right.as_set(), has);
    TRY(push(Value::boolean(found)));
    return next();
}

Machine::Step Machine::attribute(Op op, std::uint32_t operand) {
    const std::string_view name = TRY(program_.string(operand));
    const Value value = TRY(pop());
    std::span<const Field> fields;
    bool exists = true;
    if (value.kind == Kind::record) {
        fields = value.as_record();
    } else if (value.kind == Kind::entity) {
        const Entity* entity = entities_.find(*value.uid);
        exists = entity != nullptr;
        if (exists) fields = entity->attributes.as_record();
    } else {
        return errs(Verdict::type_error);
    }
    const Value* found = find_field(fields, name);
    if (op == Op::has_attribute) {
        TRY(push(Value::boolean(found != nullptr)));
        return next();
    }
    if (found == nullptr) return errs(exists ? Verdict::missing_attribute : Verdict::missing_entity);
    TRY(push(*found));
    return next();
}

Machine::Step Machine::tag(Op op) {
    const Value name = TRY(pop());
    const Value value = TRY(pop());
    if (value.kind != Kind::entity || name.kind != Kind::string) return errs(Verdict::type_error);
    const Entity* entity = entities_.find(*value.uid);
    const Value* found = entity == nullptr ? nullptr : find_field(entity->tags.as_record(), name.text());
    if (op == Op::has_tag) {
        TRY(push(Value::boolean(found != nullptr)));
        return next();
    }
    if (found == nullptr) return errs(entity == nullptr ? Verdict::missing_entity : Verdict::missing_tag);
    TRY(push(*found));
    return next();
}

// Greedy with one place to go back to: the last wildcard. Time at most length times length of the pattern, which the
// budget pays before.
Machine::Step Machine::like(std::uint32_t operand) {
    const std::string_view pattern = TRY(program_.string(operand));
    const Value value = TRY(pop());
    if (value.kind != Kind::string) return errs(Verdict::type_error);
    const std::string_view text = value.text();
    TRY(spend(std::uint64_t{text.size()} * (pattern.size() + 1) / 16));
    std::size_t t = 0, p = 0;
    std::optional<std::size_t> star; // the wildcard that can take one character more
    std::size_t taken = 0;           // the text up to which it has taken
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == kWildcard) {
            star = p++;
            taken = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star) {
            p = *star + 1;
            t = ++taken;
        } else {
            break;
        }
    }
    while (p < pattern.size() && pattern[p] == kWildcard)
        ++p;
    TRY(push(Value::boolean(t == text.size() && p == pattern.size())));
    return next();
}

Machine::Step Machine::call(std::uint32_t operand) {
    if (operand >= kFunctionCount) return fail(Error::bad_format);
    const auto function = static_cast<Function>(operand);
    const FunctionInfo& info = info_of(function);
    if (info.arguments > depth_) return fail(Error::bad_format);
    depth_ -= info.arguments;
    const std::span<const Value> arguments = workspace_.stack.subspan(depth_, info.arguments);
    for (unsigned i = 0; i < info.arguments; ++i)
        if (arguments[i].kind != info.parameter[i]) return errs(Verdict::type_error);
    switch (info.parameter[0]) {
    case Kind::string:
        TRY(spend(arguments[0].count));
        return construct(function, arguments[0].text());
    case Kind::ip:
        return call_on_network(function, arguments);
    case Kind::datetime:
    case Kind::duration:
        return call_on_time(function, arguments);
    default:
        break;
    }
    const std::int64_t left = arguments[0].number, right = arguments[1].number;
    const bool result = function == Function::less_than            ? left < right
                        : function == Function::less_than_or_equal ? left <= right
                        : function == Function::greater_than       ? left > right
                                                                   : left >= right;
    TRY(push(Value::boolean(result)));
    return next();
}

Machine::Step Machine::construct(Function function, std::string_view text) {
    if (function == Function::ip) {
        const std::optional<IpNetwork> parsed = parse_ip(text);
        if (!parsed) return errs(Verdict::bad_text);
        const std::span<IpNetwork> network = TRY(allocate<IpNetwork>(1));
        network[0] = *parsed;
        TRY(push(Value::ip(network.data())));
        return next();
    }
    const std::optional<std::int64_t> number = function == Function::decimal    ? parse_decimal(text)
                                               : function == Function::datetime ? parse_datetime(text)
                                                                                : parse_duration(text);
    if (!number) return errs(Verdict::bad_text);
    TRY(push(Value::of_number(info_of(function).result, *number)));
    return next();
}

Machine::Step Machine::call_on_network(Function function, std::span<const Value> arguments) {
    const IpNetwork& network = *arguments[0].network;
    bool result = false;
    if (function == Function::is_ipv4) result = network.bits == 32;
    if (function == Function::is_ipv6) result = network.bits == 128;
    if (function == Function::is_loopback) result = is_loopback(network);
    if (function == Function::is_multicast) result = is_multicast(network);
    if (function == Function::is_in_range) result = is_in_range(network, *arguments[1].network);
    TRY(push(Value::boolean(result)));
    return next();
}

Machine::Step Machine::call_on_time(Function function, std::span<const Value> arguments) {
    const std::int64_t number = arguments[0].number;
    std::optional<std::int64_t> result;
    std::int64_t computed = 0;
    switch (function) {
    case Function::offset:
        if (!__builtin_add_overflow(number, arguments[1].number, &computed)) result = computed;
        break;
    case Function::duration_since:
        if (!__builtin_sub_overflow(number, arguments[1].number, &computed)) result = computed;
        break;
    case Function::to_date:
        result = day_of(number);
        break;
    case Function::to_time:
        result = time_of_day(number);
        break;
    case Function::to_seconds:
        result = number / 1000;
        break;
    case Function::to_minutes:
        result = number / 60'000;
        break;
    case Function::to_hours:
        result = number / 3'600'000;
        break;
    case Function::to_days:
        result = number / 86'400'000;
        break;
    default:
        result = number; // to_milliseconds
        break;
    }
    if (!result) return errs(Verdict::overflow);
    TRY(push(Value::of_number(info_of(function).result, *result)));
    return next();
}

} // namespace aios::policy
