// Shared by the tests of the retrieval engine: small indexes from literals, in memory of the test.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "runtime/memory/index_builder.hpp"
#include "runtime/memory/index_view.hpp"
#include "runtime/memory/search.hpp"

namespace aios::memory::test {

using Documents = std::vector<std::pair<std::string, std::string>>;

// A region on the heap, aligned as a mapped one is. Exactly as long as asked for, so that the sanitizer sees what lies
// behind it.
class Region {
public:
    explicit Region(std::size_t bytes) : words_((bytes + 7) / 8), bytes_(bytes) {}
    MutableBytes span() { return std::as_writable_bytes(std::span(words_)).first(bytes_); }
    [[nodiscard]] Bytes view() const { return std::as_bytes(std::span(words_)).first(bytes_); }

private:
    std::vector<std::uint64_t> words_;
    std::size_t bytes_;
};

inline void add_all(IndexBuilder& builder, const Documents& documents) {
    for (const auto& [name, text] : documents) {
        if (!builder.add(name, as_bytes(text))) throw std::runtime_error("not added: " + name);
    }
}

inline Region sealed(IndexBuilder& builder) {
    Region region(builder.sealed_bytes());
    if (!builder.seal(region.span())) throw std::runtime_error("does not seal");
    return region;
}

inline Region sealed(const Documents& documents) {
    IndexBuilder builder;
    add_all(builder, documents);
    return sealed(builder);
}

// Numbers from a fixed sequence.
class Sequence {
public:
    explicit Sequence(std::uint64_t seed) : state_(seed) {}
    std::uint32_t below(std::uint32_t bound) {
        state_ = state_ * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
        return static_cast<std::uint32_t>(state_ >> 33) % bound;
    }

private:
    std::uint64_t state_;
};

} // namespace aios::memory::test
