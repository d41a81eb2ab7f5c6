// The DER writer. See der.hpp. A container's contents are written where they would stand behind a length of one octet;
// end() moves them if the length needs more.
#include <algorithm>

#include "crypto/der.hpp"

namespace aios::crypto::der {

namespace {

using Head = std::array<std::byte, 6>;

// Identifier and length in the shortest form; returns their size.
std::size_t make_head(Tag tag, std::size_t length, Head& head) {
    head[0] = static_cast<std::byte>(tag);
    if (length < 0x80) {
        head[1] = static_cast<std::byte>(length);
        return 2;
    }
    std::size_t octets = 1;
    while (octets < 4 && length >> (8 * octets) != 0)
        ++octets;
    head[1] = static_cast<std::byte>(0x80 | octets);
    for (std::size_t i = 0; i < octets; ++i)
        head[2 + i] = static_cast<std::byte>(length >> (8 * (octets - 1 - i)));
    return 2 + octets;
}

} // namespace

void Writer::put(Bytes data) {
    if (position_ <= out_.size() && data.size() <= out_.size() - position_) {
        std::copy(data.begin(), data.end(), out_.begin() + static_cast<std::ptrdiff_t>(position_));
    }
    position_ += data.size();
}

void Writer::put_head(Tag tag, std::size_t length) {
    Head head;
    put(Bytes(head).first(make_head(tag, length, head)));
}

Writer& Writer::element(Tag tag, Bytes contents) {
    put_head(tag, contents.size());
    put(contents);
    return *this;
}

Writer& Writer::bit_string(Bytes octets, Tag tag) {
    constexpr std::byte kNoUnusedBits{0};
    put_head(tag, octets.size() + 1);
    put({&kNoUnusedBits, 1});
    put(octets);
    return *this;
}

Writer& Writer::integer(std::uint32_t value) {
    // Five octets, of which the superfluous leading ones are left out.
    std::array<std::byte, 5> octets{};
    for (std::size_t i = 0; i < 4; ++i)
        octets[1 + i] = static_cast<std::byte>(value >> (8 * (3 - i)));
    std::size_t skipped = 0;
    while (skipped < 4 && octets[skipped] == std::byte{0} && (octets[skipped + 1] & std::byte{0x80}) == std::byte{0})
        ++skipped;
    return element(Tag::integer, Bytes(octets).subspan(skipped));
}

Writer& Writer::boolean(bool value) {
    const std::byte octet{static_cast<std::uint8_t>(value ? 0xff : 0)};
    return element(Tag::boolean, {&octet, 1});
}

Writer& Writer::raw(Bytes encoded) {
    put(encoded);
    return *this;
}

Writer& Writer::begin(Tag tag) {
    if (depth_ == kMaxDepth) {
        misused_ = true;
        return *this;
    }
    put_head(tag, 0);
    starts_[depth_++] = position_;
    return *this;
}

Writer& Writer::end() {
    if (depth_ == 0) {
        misused_ = true;
        return *this;
    }
    const std::size_t start = starts_[--depth_];
    const std::size_t length = position_ - start;
    if (start > out_.size()) {
        // Too small already: only the size goes on.
        Head head;
        position_ += make_head(Tag::sequence, length, head) - 2;
        return *this;
    }
    Head head;
    const Tag tag = static_cast<Tag>(out_[start - 2]);
    const std::size_t head_size = make_head(tag, length, head);
    const std::size_t old_end = position_;
    position_ += head_size - 2;
    if (position_ <= out_.size()) {
        const auto at = [&](std::size_t offset) { return out_.begin() + static_cast<std::ptrdiff_t>(offset); };
        if (head_size > 2) std::copy_backward(at(start), at(old_end), at(position_));
        std::copy_n(head.begin(), head_size, at(start - 2));
    }
    return *this;
}

Result<Bytes> Writer::finish() const {
    if (misused_ || depth_ != 0) return fail(Error::bad_state);
    if (position_ > out_.size()) return fail(Error::buffer_small);
    return Bytes(out_.first(position_));
}

} // namespace aios::crypto::der
