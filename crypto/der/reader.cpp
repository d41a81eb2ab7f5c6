// The strict DER reader. See der.hpp. Every access is checked against what is left of the input first.
#include "crypto/der.hpp"

namespace aios::crypto::der {

Result<Element> Reader::element() {
    if (rest_.size() < 2) return fail(Error::truncated);
    const auto identifier = static_cast<std::uint8_t>(rest_[0]);
    if ((identifier & 0x1f) == 0x1f || identifier == 0)
        return fail(Error::bad_format); // a long tag number; end-of-contents

    // Section 8.1.3 with the restrictions of section 10.1.
    const auto first = static_cast<std::uint8_t>(rest_[1]);
    std::size_t head = 2;
    std::size_t length = first;
    if (first >= 0x80) {
        const std::size_t octets = first & 0x7f;
        if (octets == 0 || octets > 4) return fail(Error::bad_format); // indefinite, or larger than anything here
        if (octets > rest_.size() - head) return fail(Error::truncated);
        length = 0;
        for (std::size_t i = 0; i < octets; ++i)
            length = length << 8 | static_cast<std::uint8_t>(rest_[head + i]);
        head += octets;
        const bool shortest = length >= 0x80 && length >> (8 * (octets - 1)) != 0;
        if (!shortest) return fail(Error::bad_format);
    }
    if (length > rest_.size() - head) return fail(Error::truncated);
    const Element result{.tag = static_cast<Tag>(identifier),
                         .contents = rest_.subspan(head, length),
                         .whole = rest_.first(head + length)};
    rest_ = rest_.subspan(head + length);
    return result;
}

Result<Element> Reader::element(Tag tag) {
    if (!at_end() && !next_is(tag)) return fail(Error::bad_format);
    return element();
}

Result<Reader> Reader::enter(Tag tag) { return Reader(TRY(element(tag)).contents); }

Result<Bytes> Reader::octet_string(Tag tag) { return TRY(element(tag)).contents; }

Result<Bytes> Reader::integer() {
    Reader after = *this;
    const Bytes contents = TRY(after.element(Tag::integer)).contents;
    if (contents.empty()) return fail(Error::bad_format);
    if (contents.size() > 1) {
        // The first nine bits are neither all zero nor all one.
        const auto first = static_cast<std::uint8_t>(contents[0]);
        const bool second_is_negative = (static_cast<std::uint8_t>(contents[1]) & 0x80) != 0;
        if ((first == 0 && !second_is_negative) || (first == 0xff && second_is_negative)) {
            return fail(Error::bad_format);
        }
    }
    *this = after;
    return contents;
}

Result<std::uint32_t> Reader::small_integer() {
    Reader after = *this;
    const Bytes contents = TRY(after.integer());
    if (contents.size() > 4 || (static_cast<std::uint8_t>(contents[0]) & 0x80) != 0) return fail(Error::bad_format);
    std::uint32_t value = 0;
    for (const std::byte octet : contents)
        value = value << 8 | static_cast<std::uint8_t>(octet);
    *this = after;
    return value;
}

// Sections 8.2 and 11.1.
Result<bool> Reader::boolean() {
    Reader after = *this;
    const Bytes contents = TRY(after.element(Tag::boolean)).contents;
    if (contents.size() != 1) return fail(Error::bad_format);
    const auto value = static_cast<std::uint8_t>(contents[0]);
    if (value != 0 && value != 0xff) return fail(Error::bad_format);
    *this = after;
    return value != 0;
}

// Sections 8.6 and 11.2.
Result<BitString> Reader::bit_string(Tag tag) {
    Reader after = *this;
    const Bytes contents = TRY(after.element(tag)).contents;
    if (contents.empty()) return fail(Error::bad_format);
    const auto unused = static_cast<std::uint8_t>(contents[0]);
    if (unused > 7 || (unused != 0 && contents.size() == 1)) return fail(Error::bad_format);
    const auto last = static_cast<std::uint8_t>(contents.back());
    if (unused != 0 && (last & ((1U << unused) - 1)) != 0) return fail(Error::bad_format);
    *this = after;
    return BitString{.octets = contents.subspan(1), .unused_bits = unused};
}

Result<Bytes> Reader::whole_bit_string(Tag tag) {
    Reader after = *this;
    const BitString string = TRY(after.bit_string(tag));
    if (string.unused_bits != 0) return fail(Error::bad_format);
    *this = after;
    return string.octets;
}

Result<Bytes> Reader::oid() {
    Reader after = *this;
    const Bytes contents = TRY(after.element(Tag::oid)).contents;
    bool arc_begins = true;
    for (const std::byte octet : contents) {
        if (arc_begins && octet == std::byte{0x80}) return fail(Error::bad_format);
        arc_begins = (octet & std::byte{0x80}) == std::byte{0};
    }
    if (contents.empty() || !arc_begins) return fail(Error::bad_format);
    *this = after;
    return contents;
}

Result<> Reader::finish() const {
    if (!at_end()) return fail(Error::bad_format);
    return {};
}

} // namespace aios::crypto::der
