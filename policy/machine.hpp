// The machine of one policy's evaluation. Only for policy/evaluate.cpp.
#pragma once

#include "policy/evaluate.hpp"

namespace aios::policy {

class Machine {
public:
    Machine(const Program& program, const Entities& entities, const Request& request, Workspace& workspace)
        : program_(program), entities_(entities), request_(request), workspace_(workspace) {}

    // Errors are of the evaluation as a whole; what errs in the policy is a verdict.
    Result<Verdict> run(std::span<const std::uint32_t> code);

private:
    // A step that goes on, or ends the policy with a verdict.
    using Step = Result<std::optional<Verdict>>;
    static Step next() { return std::optional<Verdict>(); }
    static Step errs(Verdict verdict) { return std::optional<Verdict>(verdict); }

    Step step(Op op, std::uint32_t operand, std::span<const std::uint32_t> code);
    Step push_constant(Op op, std::uint32_t operand, std::span<const std::uint32_t> code);
    Step jump(Op op, std::uint32_t operand, std::span<const std::uint32_t> code);
    Step arithmetic(Op op);
    Step order(Op op);
    Step membership(Op op);
    Step is_in_hierarchy();
    Step attribute(Op op, std::uint32_t operand);
    Step tag(Op op);
    Step like(std::uint32_t operand);
    Step make_set(std::uint32_t count);
    Step make_record(std::uint32_t count, std::span<const std::uint32_t> code);
    Step call(std::uint32_t operand);
    Step construct(Function function, std::string_view text);
    Step call_on_network(Function function, std::span<const Value> arguments);
    Step call_on_time(Function function, std::span<const Value> arguments);

    Result<> push(const Value& value);
    Result<Value> pop();
    Result<std::uint32_t> word(std::span<const std::uint32_t> code);
    Result<> spend(std::uint64_t units);
    template <typename T>
    Result<std::span<T>> allocate(std::size_t count);

    const Program& program_;
    const Entities& entities_;
    const Request& request_;
    Workspace& workspace_;
    std::size_t depth_ = 0; // values on the stack
    std::size_t used_ = 0;  // bytes of the arena
    std::size_t at_ = 0;    // next word of code
};

} // namespace aios::policy
