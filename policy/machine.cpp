// Instructions of the policy machine: constants, jumps, arithmetic, order. Sets, records, entities and functions are in
// machine_values.cpp. See program.hpp.
#include "policy/machine.hpp"

#include <optional>

namespace aios::policy {

using Kind = Value::Kind;

Result<> Machine::push(const Value& value) {
    if (depth_ == workspace_.stack.size()) return fail(Error::buffer_small);
    workspace_.stack[depth_++] = value;
    return {};
}

Result<Value> Machine::pop() {
    if (depth_ == 0) return fail(Error::bad_format);
    return workspace_.stack[--depth_];
}

Result<std::uint32_t> Machine::word(std::span<const std::uint32_t> code) {
    if (at_ >= code.size()) return fail(Error::bad_format);
    return code[at_++];
}

Result<> Machine::spend(std::uint64_t units) {
    if (workspace_.budget < units) return fail(Error::too_large);
    workspace_.budget -= units;
    return {};
}

Result<Verdict> Machine::run(std::span<const std::uint32_t> code) {
    while (at_ < code.size()) {
        TRY(spend(1));
        const std::uint32_t instruction = TRY(word(code));
        const std::uint32_t op = instruction & 0xff;
        if (op >= kOpCount) return fail(Error::bad_format);
        const std::optional<Verdict> ended = TRY(step(static_cast<Op>(op), instruction >> 8, code));
        if (ended) return *ended;
    }
    const Value result = TRY(pop());
    if (depth_ != 0) return fail(Error::bad_format);
    if (result.kind != Kind::boolean) return Verdict::type_error;
    return result.is_true() ? Verdict::satisfied : Verdict::not_satisfied;
}

Machine::Step Machine::step(Op op, std::uint32_t operand, std::span<const std::uint32_t> code) {
    switch (op) {
    case Op::push_false:
    case Op::push_true:
    case Op::push_integer:
    case Op::push_string:
    case Op::push_entity:
    case Op::push_variable:
        return push_constant(op, operand, code);
    case Op::negate_boolean: {
        const Value value = TRY(pop());
        if (value.kind != Kind::boolean) return errs(Verdict::type_error);
        TRY(push(Value::boolean(!value.is_true())));
        return next();
    }
    case Op::negate_integer:
    case Op::add:
    case Op::subtract:
    case Op::multiply:
        return arithmetic(op);
    case Op::less:
    case Op::less_equal:
        return order(op);
    case Op::equal: {
        const Value right = TRY(pop());
        const Value left = TRY(pop());
        TRY(spend(left.count));
        TRY(push(Value::boolean(equal(left, right))));
        return next();
    }
    case Op::in:
        return is_in_hierarchy();
    case Op::contains:
    case Op::contains_all:
    case Op::contains_any:
    case Op::is_empty:
        return membership(op);
    case Op::has_attribute:
    case Op::get_attribute:
        return attribute(op, operand);
    case Op::has_tag:
    case Op::get_tag:
        return tag(op);
    case Op::like:
        return like(operand);
    case Op::is_type: {
        const Value value = TRY(pop());
        const std::string_view type = TRY(program_.string(operand));
        if (value.kind != Kind::entity) return errs(Verdict::type_error);
        TRY(push(Value::boolean(value.uid->type == type)));
        return next();
    }
    case Op::make_set:
        return make_set(operand);
    case Op::make_record:
        return make_record(operand, code);
    case Op::call:
        return call(operand);
    case Op::check_boolean:
    case Op::jump:
    case Op::jump_if_false_or_pop:
    case Op::jump_if_true_or_pop:
    case Op::pop_jump_if_false:
        return jump(op, operand, code);
    }
    return fail(Error::bad_format);
}

Machine::Step Machine::push_constant(Op op, std::uint32_t operand, std::span<const std::uint32_t> code) {
    switch (op) {
    case Op::push_false:
        TRY(push(Value::boolean(false)));
        return next();
    case Op::push_true:
        TRY(push(Value::boolean(true)));
        return next();
    case Op::push_integer: {
        const std::int64_t number = TRY(program_.integer(operand));
        TRY(push(Value::integer(number)));
        return next();
    }
    case Op::push_string: {
        const std::string_view text = TRY(program_.string(operand));
        TRY(push(Value::string(text)));
        return next();
    }
    case Op::push_entity: {
        const std::uint32_t id = TRY(word(code));
        const std::span<EntityUid> uid = TRY(allocate<EntityUid>(1));
        uid[0] = {TRY(program_.string(operand)), TRY(program_.string(id))};
        TRY(push(Value::entity(uid.data())));
        return next();
    }
    default:
        break;
    }
    const EntityUid* const uids[] = {&request_.principal, &request_.action, &request_.resource};
    if (operand > std::size(uids)) return fail(Error::bad_format);
    TRY(push(operand == std::size(uids) ? request_.context : Value::entity(uids[operand])));
    return next();
}

Machine::Step Machine::jump(Op op, std::uint32_t operand, std::span<const std::uint32_t> code) {
    bool taken = op == Op::jump;
    if (!taken) {
        const Value value = TRY(pop());
        if (value.kind != Kind::boolean) return errs(Verdict::type_error);
        taken = op != Op::check_boolean && value.is_true() == (op == Op::jump_if_true_or_pop);
        const bool stays = op == Op::check_boolean || (taken && op != Op::pop_jump_if_false);
        if (stays) TRY(push(value));
    }
    if (!taken) return next();
    if (operand > code.size() - at_) return fail(Error::bad_format);
    at_ += operand;
    return next();
}

Machine::Step Machine::arithmetic(Op op) {
    const Value right = TRY(pop());
    const Value left = op == Op::negate_integer ? Value::integer(0) : TRY(pop());
    if (left.kind != Kind::integer || right.kind != Kind::integer) return errs(Verdict::type_error);
    std::int64_t result;
    const bool overflow = op == Op::add        ? __builtin_add_overflow(left.number, right.number, &result)
                          : op == Op::multiply ? __builtin_mul_overflow(left.number, right.number, &result)
                                               : __builtin_sub_overflow(left.number, right.number, &result);
    if (overflow) return errs(Verdict::overflow);
    TRY(push(Value::integer(result)));
    return next();
}

Machine::Step Machine::order(Op op) {
    const Value right = TRY(pop());
    const Value left = TRY(pop());
    const bool has_order = left.kind == Kind::integer || left.kind == Kind::datetime || left.kind == Kind::duration;
    if (!has_order || left.kind != right.kind) return errs(Verdict::type_error);
    TRY(push(Value::boolean(op == Op::less ? left.number < right.number : left.number <= right.number)));
    return next();
}

} // namespace aios::policy
