// Opens a compiled policy set. See program.hpp.
#include "policy/program.hpp"

namespace aios::policy {

namespace {

// Takes parts off the front of a block.
struct Parts {
    std::span<const std::byte> rest;

    template <typename T>
    Result<std::span<const T>> take(std::uint64_t count) {
        const std::uint64_t bytes = count * sizeof(T);
        const std::uint64_t padded = (bytes + 7) / 8 * 8;
        if (padded > rest.size()) return fail(Error::truncated);
        // SAFETY: plain data of a block that is aligned to eight bytes, and so is each part.
        const std::span<const T> part(reinterpret_cast<const T*>(rest.data()), count);
        rest = rest.subspan(padded);
        return part;
    }
};

} // namespace

Result<Program> Program::open(std::span<const std::byte> block) {
    Parts parts{block};
    const ProgramHeader header = TRY(parts.take<ProgramHeader>(1))[0];
    if (header.magic != ProgramHeader::kMagic || header.reserved != 0) return fail(Error::bad_format);
    if (header.bytes != block.size()) return fail(Error::truncated);
    Program program;
    program.policies_ = TRY(parts.take<CompiledPolicy>(header.policies));
    program.strings_ = TRY(parts.take<StringEntry>(header.strings));
    program.integers_ = TRY(parts.take<std::int64_t>(header.integers));
    program.code_ = TRY(parts.take<std::uint32_t>(header.code_words));
    program.characters_ = TRY(parts.take<char>(header.characters));
    if (!parts.rest.empty()) return fail(Error::bad_format);
    for (const StringEntry& entry : program.strings_)
        if (std::uint64_t{entry.offset} + entry.length > header.characters) return fail(Error::bad_format);
    for (const CompiledPolicy& policy : program.policies_) {
        if (std::uint64_t{policy.code} + policy.code_words > header.code_words || policy.id >= header.strings ||
            policy.effect > Effect::forbid)
            return fail(Error::bad_format);
    }
    return program;
}

} // namespace aios::policy
