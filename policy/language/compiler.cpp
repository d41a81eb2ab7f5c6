// See compiler.hpp. Code for an expression leaves one value on the stack.
#include "policy/language/compiler.hpp"

#include <cstring>

namespace aios::policy {

namespace {

class Compiler {
public:
    explicit Compiler(const PolicySet& set) : set_(set) {}

    std::vector<std::uint64_t> all() {
        for (const Policy& policy : set_.policies) {
            if (policy.is_template()) continue;
            policy_ = &policy;
            const auto start = static_cast<std::uint32_t>(code_.size());
            expression(policy.whole);
            policies_.push_back(
                {string(policy.id), policy.effect, start, static_cast<std::uint32_t>(code_.size()) - start});
        }
        return block();
    }

private:
    using Kind = Expr::Kind;

    std::uint32_t checked(std::size_t operand) const {
        if (operand > kMaxOperand) throw Complaint{policy_->position, "this policy is too large", policy_->id};
        return static_cast<std::uint32_t>(operand);
    }
    void emit(Op op, std::size_t operand = 0) {
        code_.push_back(static_cast<std::uint32_t>(op) | checked(operand) << 8);
    }
    std::uint32_t string(const std::string& text) {
        const auto [at, is_new] = string_index_.try_emplace(text, static_cast<std::uint32_t>(strings_.size()));
        if (is_new) {
            strings_.push_back(
                {static_cast<std::uint32_t>(characters_.size()), static_cast<std::uint32_t>(text.size())});
            characters_ += text;
        }
        return at->second;
    }
    // A jump whose target comes later: land() puts it here.
    std::size_t jump(Op op) {
        emit(op);
        return code_.size();
    }
    void land(std::size_t from) { code_[from - 1] |= checked(code_.size() - from) << 8; }

    void children(const Expr& expr) {
        for (const ExprId child : expr.children)
            expression(child);
    }
    void operation(const Expr& expr, Op op, std::size_t operand = 0) {
        children(expr);
        emit(op, operand);
    }
    // a > b is b < a, but a is evaluated first: not (a <= b) is the same, and errs where it does.
    void negated(const Expr& expr, Op op) {
        operation(expr, op);
        emit(Op::negate_boolean);
    }
    void short_circuit(const Expr& expr, Op op) {
        expression(expr.children[0]);
        const std::size_t end = jump(op);
        expression(expr.children[1]);
        emit(Op::check_boolean);
        land(end);
    }
    void choose(const Expr& expr) {
        expression(expr.children[0]);
        const std::size_t otherwise = jump(Op::pop_jump_if_false);
        expression(expr.children[1]);
        const std::size_t end = jump(Op::jump);
        land(otherwise);
        expression(expr.children[2]);
        land(end);
    }
    void literal(const Expr& expr) {
        switch (expr.kind) {
        case Kind::boolean:
            emit(expr.number != 0 ? Op::push_true : Op::push_false);
            break;
        case Kind::integer: {
            const auto [at, is_new] = integer_index_.try_emplace(expr.number, integers_.size());
            if (is_new) integers_.push_back(expr.number);
            emit(Op::push_integer, at->second);
            break;
        }
        case Kind::string:
            emit(Op::push_string, string(expr.text));
            break;
        case Kind::entity:
            emit(Op::push_entity, string(expr.text));
            code_.push_back(string(expr.id));
            break;
        default:
            emit(Op::push_variable, static_cast<std::size_t>(expr.number));
        }
    }

    void expression(ExprId id) {
        const Expr& expr = set_.pool[id];
        switch (expr.kind) {
        case Kind::boolean:
        case Kind::integer:
        case Kind::string:
        case Kind::entity:
        case Kind::variable:
            return literal(expr);
        case Kind::slot:
            throw Complaint{policy_->position, "a template has no value for its slot", policy_->id};
        case Kind::negate_boolean:
            return operation(expr, Op::negate_boolean);
        case Kind::negate_integer:
            return operation(expr, Op::negate_integer);
        case Kind::add:
            return operation(expr, Op::add);
        case Kind::subtract:
            return operation(expr, Op::subtract);
        case Kind::multiply:
            return operation(expr, Op::multiply);
        case Kind::less:
            return operation(expr, Op::less);
        case Kind::less_equal:
            return operation(expr, Op::less_equal);
        case Kind::greater:
            return negated(expr, Op::less_equal);
        case Kind::greater_equal:
            return negated(expr, Op::less);
        case Kind::equal:
            return operation(expr, Op::equal);
        case Kind::not_equal:
            return negated(expr, Op::equal);
        case Kind::and_also:
            return short_circuit(expr, Op::jump_if_false_or_pop);
        case Kind::or_else:
            return short_circuit(expr, Op::jump_if_true_or_pop);
        case Kind::in:
            return operation(expr, Op::in);
        case Kind::contains:
            return operation(expr, Op::contains);
        case Kind::contains_all:
            return operation(expr, Op::contains_all);
        case Kind::contains_any:
            return operation(expr, Op::contains_any);
        case Kind::is_empty:
            return operation(expr, Op::is_empty);
        case Kind::has_attribute:
            return operation(expr, Op::has_attribute, string(expr.text));
        case Kind::get_attribute:
            return operation(expr, Op::get_attribute, string(expr.text));
        case Kind::has_tag:
            return operation(expr, Op::has_tag);
        case Kind::get_tag:
            return operation(expr, Op::get_tag);
        case Kind::like:
            return operation(expr, Op::like, string(expr.text));
        case Kind::is_type:
            return operation(expr, Op::is_type, string(expr.text));
        case Kind::choose:
            return choose(expr);
        case Kind::set:
            return operation(expr, Op::make_set, expr.children.size());
        case Kind::record:
            operation(expr, Op::make_record, expr.children.size());
            for (const std::string& key : expr.keys)
                code_.push_back(string(key));
            return;
        case Kind::call:
            return call(expr);
        }
    }

    // With the wrong number of arguments a call errs when it is reached: comparing a string with a number does.
    void call(const Expr& expr) {
        if (info_of(static_cast<Function>(expr.number)).arguments == expr.children.size())
            return operation(expr, Op::call, static_cast<std::size_t>(expr.number));
        emit(Op::push_string, string(""));
        emit(Op::negate_integer);
    }

    template <typename T>
    static void append(std::vector<std::uint64_t>& block, const T* data, std::size_t count) {
        const std::size_t bytes = count * sizeof(T), at = block.size();
        block.resize(at + (bytes + 7) / 8);
        if (bytes != 0) std::memcpy(block.data() + at, data, bytes);
    }
    std::vector<std::uint64_t> block() {
        ProgramHeader header{};
        header.magic = ProgramHeader::kMagic;
        header.policies = static_cast<std::uint32_t>(policies_.size());
        header.strings = static_cast<std::uint32_t>(strings_.size());
        header.integers = static_cast<std::uint32_t>(integers_.size());
        header.code_words = static_cast<std::uint32_t>(code_.size());
        header.characters = static_cast<std::uint32_t>(characters_.size());
        std::vector<std::uint64_t> block;
        append(block, &header, 1);
        append(block, policies_.data(), policies_.size());
        append(block, strings_.data(), strings_.size());
        append(block, integers_.data(), integers_.size());
        append(block, code_.data(), code_.size());
        append(block, characters_.data(), characters_.size());
        header.bytes = static_cast<std::uint32_t>(block.size() * 8);
        std::memcpy(block.data(), &header, sizeof(header));
        return block;
    }

    const PolicySet& set_;
    const Policy* policy_ = nullptr;
    std::vector<CompiledPolicy> policies_;
    std::vector<StringEntry> strings_;
    std::vector<std::int64_t> integers_;
    std::vector<std::uint32_t> code_;
    std::string characters_;
    std::map<std::string, std::uint32_t> string_index_;
    std::map<std::int64_t, std::size_t> integer_index_;
};

} // namespace

std::expected<std::vector<std::uint64_t>, Complaint> compile(const PolicySet& set) {
    try {
        return Compiler(set).all();
    } catch (Complaint& complaint) {
        return std::unexpected(std::move(complaint));
    }
}

} // namespace aios::policy
