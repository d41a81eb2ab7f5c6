// DER, the distinguished encoding of ASN.1 (ITU-T X.690 section 10), for keys and certificates: a strict reader and a
// writer that makes nothing else.
//
//   Reader in(bytes);                                Writer out(buffer);
//   Reader key = TRY(in.sequence());                 out.begin(Tag::sequence);
//   TRY(in.finish());                                out.oid(kSomething).octet_string(seed);
//   Bytes oid = TRY(key.oid());                      out.end();
//   Bytes seed = TRY(key.octet_string());            Bytes encoded = TRY(out.finish());
//   TRY(key.finish());
//
// What the reader refuses: lengths that are indefinite or not the shortest, lengths of more than four octets, tag
// numbers above 30, contents that end behind their container, integers with a superfluous leading octet, booleans other
// than 00 and ff, bit strings whose unused bits are not zero, object identifiers with a padded arc. A Reader is a plain
// value over a span; a container gives a Reader over its contents, so nothing recurses. What it returns points into the
// input. Nothing allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::crypto::der {

// Identifier octets (X.690 section 8.1.2): class, form and number in one.
enum class Tag : std::uint8_t {
    boolean = 0x01,
    integer = 0x02,
    bit_string = 0x03,
    octet_string = 0x04,
    null = 0x05,
    oid = 0x06,
    utf8_string = 0x0c,
    printable_string = 0x13,
    ia5_string = 0x16,
    utc_time = 0x17,
    generalized_time = 0x18,
    sequence = 0x30,
    set = 0x31,
};

// The tag [number] of a context; number is at most 30.
[[nodiscard]] constexpr Tag context_primitive(std::uint8_t number) { return static_cast<Tag>(0x80 | number); }
[[nodiscard]] constexpr Tag context_constructed(std::uint8_t number) { return static_cast<Tag>(0xa0 | number); }

struct Element {
    Tag tag;
    Bytes contents;
    Bytes whole; // with identifier and length
};

struct BitString {
    Bytes octets;
    std::uint8_t unused_bits; // of the last octet: 0 to 7
};

// Reads one element after the other. A failed read does not move the position. Errors: truncated where the input ends
// inside an element; bad_format for all else, another tag than asked for included.
class Reader {
public:
    explicit Reader(Bytes data) : rest_(data) {}

    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    // Whether an element with this tag comes next.
    [[nodiscard]] bool next_is(Tag tag) const { return !rest_.empty() && rest_[0] == static_cast<std::byte>(tag); }

    [[nodiscard]] Result<Element> element();
    [[nodiscard]] Result<Element> element(Tag tag);

    // A constructed element: a reader over its contents.
    [[nodiscard]] Result<Reader> enter(Tag tag);
    [[nodiscard]] Result<Reader> sequence() { return enter(Tag::sequence); }

    // The contents of an integer: at least one octet, two's complement, the shortest form (section 8.3).
    [[nodiscard]] Result<Bytes> integer();
    // An integer from 0 to 2^31 - 1.
    [[nodiscard]] Result<std::uint32_t> small_integer();
    [[nodiscard]] Result<bool> boolean();
    [[nodiscard]] Result<BitString> bit_string(Tag tag = Tag::bit_string);
    // A bit string of whole octets.
    [[nodiscard]] Result<Bytes> whole_bit_string(Tag tag = Tag::bit_string);
    [[nodiscard]] Result<Bytes> octet_string(Tag tag = Tag::octet_string);
    // The contents of an object identifier, well-formed (section 8.19).
    [[nodiscard]] Result<Bytes> oid();

    // Nothing may be left.
    [[nodiscard]] Result<> finish() const;

private:
    Bytes rest_;
};

// Writes into the caller's span. The first error sticks and finish() reports it:
//   buffer_small  the span is too small; size() still counts on and gives the size that is needed
//   bad_state     end() without begin(), a container left open, or more than kMaxDepth of them
class Writer {
public:
    static constexpr std::size_t kMaxDepth = 12;

    explicit Writer(MutableBytes out) : out_(out) {}

    Writer& element(Tag tag, Bytes contents);
    Writer& oid(Bytes contents) { return element(Tag::oid, contents); }
    Writer& octet_string(Bytes contents) { return element(Tag::octet_string, contents); }
    // `octets` with no unused bits.
    Writer& bit_string(Bytes octets, Tag tag = Tag::bit_string);
    Writer& integer(std::uint32_t value);
    Writer& boolean(bool value);
    // Elements that are encoded already, or the contents of an open container.
    Writer& raw(Bytes encoded);

    // What is written between the two is the contents of an element. end() moves it by up to four octets, to make room
    // for the length.
    Writer& begin(Tag tag);
    Writer& end();

    // Octets written, or needed if the span was too small.
    [[nodiscard]] std::size_t size() const { return position_; }
    [[nodiscard]] Result<Bytes> finish() const;

private:
    void put(Bytes data);
    void put_head(Tag tag, std::size_t length);

    MutableBytes out_;
    std::size_t position_ = 0;
    std::size_t depth_ = 0;
    bool misused_ = false;
    std::array<std::size_t, kMaxDepth> starts_{}; // where the contents of the open containers begin
};

} // namespace aios::crypto::der
