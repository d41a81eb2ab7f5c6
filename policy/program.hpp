// A compiled policy set: one position-independent block of bytes that host, services and kernel evaluate in place. The
// host makes it from Cedar text (policy/language); open() checks its frame, and the evaluator checks each operand as it
// meets it, so that a block from anywhere can be evaluated: damaged, it answers bad_format.
//
// Layout, little-endian, each part aligned to eight bytes: header, policies, string table, integers, code, characters.
// Code is a stack machine's: a word is an opcode (low 8 bits) with an operand (upper 24); jumps only go forward, so
// every policy ends. A policy's code leaves one boolean: whether it is satisfied.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace aios::policy {

enum class Op : std::uint8_t {
    push_false,
    push_true,
    push_integer,  // operand: in the table of integers
    push_string,   // operand: string
    push_entity,   // operand: type; next word: id
    push_variable, // operand: 0 principal, 1 action, 2 resource, 3 context
    negate_boolean,
    negate_integer,
    add,
    subtract,
    multiply,
    less,
    less_equal,
    equal,
    in,
    contains,
    contains_all,
    contains_any,
    is_empty,
    has_attribute,
    get_attribute, // operand: string
    has_tag,
    get_tag,
    like,                 // operand: string; the byte 0xff stands for any run of characters
    is_type,              // operand: string
    make_set,             // operand: how many elements
    make_record,          // operand: how many fields; their keys follow, one word each, in the order of the values
    call,                 // operand: Function
    check_boolean,        // the top of the stack is a boolean, or the policy errs
    jump,                 // operand: how many words forward, from the word behind this one
    jump_if_false_or_pop, // a boolean on top: false stays and jumps, true is taken off
    jump_if_true_or_pop,
    pop_jump_if_false,
};
inline constexpr unsigned kOpCount = 33;
inline constexpr std::uint32_t kMaxOperand = 0xff'ffff;
inline constexpr char kWildcard = '\xff'; // never part of UTF-8

enum class Effect : std::uint32_t { permit, forbid };

struct ProgramHeader {
    static constexpr std::uint32_t kMagic = 0x31'52'44'43; // "CDR1"
    std::uint32_t magic, bytes;
    std::uint32_t policies, strings, integers, code_words, characters;
    std::uint32_t reserved;
};
struct CompiledPolicy {
    std::uint32_t id; // string
    Effect effect;
    std::uint32_t code, code_words;
};
struct StringEntry {
    std::uint32_t offset, length; // in the characters
};

class Program {
public:
    Program() = default; // no policy
    // `block` is aligned to eight bytes and outlives the program. bad_format, truncated.
    static Result<Program> open(std::span<const std::byte> block);

    [[nodiscard]] std::uint32_t policy_count() const { return static_cast<std::uint32_t>(policies_.size()); }
    [[nodiscard]] const CompiledPolicy& policy(std::uint32_t index) const { return policies_[index]; }
    [[nodiscard]] std::span<const std::uint32_t> code_of(const CompiledPolicy& policy) const {
        return code_.subspan(policy.code, policy.code_words);
    }
    [[nodiscard]] Result<std::string_view> string(std::uint32_t index) const {
        if (index >= strings_.size()) return fail(Error::bad_format);
        return std::string_view(characters_.data() + strings_[index].offset, strings_[index].length);
    }
    [[nodiscard]] Result<std::int64_t> integer(std::uint32_t index) const {
        if (index >= integers_.size()) return fail(Error::bad_format);
        return integers_[index];
    }

private:
    std::span<const CompiledPolicy> policies_;
    std::span<const StringEntry> strings_;
    std::span<const std::int64_t> integers_;
    std::span<const std::uint32_t> code_;
    std::span<const char> characters_;
};

} // namespace aios::policy
