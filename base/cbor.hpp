// CBOR in its core deterministic encoding (RFC 8949 section 4.2.1): the one wire format of AIOS. One value has one
// encoding: shortest integers and floats, definite lengths, map keys in bytewise order without duplicates, valid UTF-8,
// nesting of at most kMaxDepth. The encoder makes nothing else and the decoder accepts nothing else, so hashes of
// messages mean something.
//
// Types: unsigned and negative integers, byte and text strings, arrays, maps, false/true/null, floats. A map key is an
// integer or a text string. Undefined and other simple values are refused, and so is every tag but the one that the
// caller names with tag() at that place. The only NaN is f9 7e00. Neither class allocates; a decoder's strings point
// into its input. No locks: one user at a time.
//
//   Encoder out(buffer);                            Decoder in(bytes);
//   out.map_open();                                 TRY(in.map_begin());
//   out.key(1).uint(message.id);                    while (auto key = TRY(in.next_key())) {
//   if (named) out.key(2).text(message.name);           switch (key->number()) {
//   out.close();                                        case 1: message.id = TRY(in.uint()); break;
//   Bytes encoded = TRY(out.finish());                  case 2: message.name = TRY(in.text()); break;
//                                                       default: TRY(in.skip());
//                                                       }
//                                                   }
//                                                   TRY(in.finish());
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::cbor {

inline constexpr std::size_t kMaxDepth = 16;

// The longest head: initial byte and a 64-bit argument.
inline constexpr std::size_t kMaxHead = 9;

// Writes the head of a byte string of `size` bytes and returns its length: for code that hashes an encoding in pieces.
std::size_t bytes_head(std::uint64_t size, std::array<std::byte, kMaxHead>& head);

enum class Type : std::uint8_t { uint, negative, bytes, text, array, map, boolean, null, floating };

// Writes into the caller's span. The first error sticks and finish() reports it, so calls chain without checks between:
//   no_space      the span is too small; size() still counts on and gives the size that is needed
//   bad_argument  keys out of order or twice, text that is not UTF-8, nesting too deep, a raw item that is not
//   deterministic bad_state     key without value or value without key, more or fewer items than announced, close()
//   with nothing to close
class Encoder {
public:
    explicit Encoder(MutableBytes out) : out_(out) {}

    // Writes nothing and never reports no_space: size() tells how much the same calls will need. Key order is not
    // checked.
    [[nodiscard]] static Encoder counting() {
        Encoder encoder{MutableBytes()};
        encoder.counting_ = true;
        return encoder;
    }

    Encoder& uint(std::uint64_t value);
    Encoder& integer(std::int64_t value);
    Encoder& bytes(Bytes value);
    Encoder& text(std::string_view value);
    Encoder& boolean(bool value);
    Encoder& null();

    // A double as its IEEE 754 bits, for code that may not touch floating-point registers, and as itself (a template,
    // so that such code can include this header).
    Encoder& float64_bits(std::uint64_t bits);
    template <std::same_as<double> D>
    Encoder& float64(D value) {
        return float64_bits(std::bit_cast<std::uint64_t>(value));
    }

    // Containers of a known number of items (pairs, for a map): they close by themselves after the last one.
    Encoder& array(std::uint64_t count) { return begin(false, true, count); }
    Encoder& map(std::uint64_t count) { return begin(true, true, count); }

    // Containers of any number of items, closed by close(), which writes the number and may move the contents by up to
    // 8 bytes.
    Encoder& array_open() { return begin(false, false, 0); }
    Encoder& map_open() { return begin(true, false, 0); }
    Encoder& close();

    // The key of the next pair. Keys are given in the order of their encodings: non-negative integers upwards, then
    // negative ones downwards from -1, then text by length first and bytewise within one length.
    Encoder& key(std::string_view name);
    Encoder& key(const char* name) { return key(std::string_view(name)); }
    template <std::integral I>
    Encoder& key(I number) {
        if constexpr (std::signed_integral<I>) {
            if (number < 0) return key_head(1, static_cast<std::uint64_t>(-1 - static_cast<std::int64_t>(number)));
        }
        return key_head(0, static_cast<std::uint64_t>(number));
    }

    // The tag of the item that is written next. Only a Decoder that asks for this number takes it.
    Encoder& tag(std::uint64_t number);

    // One item that is encoded already; it is checked.
    Encoder& raw(Bytes item);

    // Bytes written, or needed if the span was too small.
    [[nodiscard]] std::size_t size() const { return position_; }
    [[nodiscard]] bool failed() const { return error_.has_value(); }

    // The encoding, if exactly one item was written and every container is closed.
    [[nodiscard]] Result<Bytes> finish() const;

private:
    struct Frame {
        bool is_map;
        bool known_count;
        bool value_next;        // a key was written, its value not
        std::uint64_t items;    // still expected, or written so far if the count is not known
        std::size_t head;       // offset of the container's head
        std::size_t key;        // offset of the last key
        std::size_t key_length; // 0 before the first key
    };

    Encoder& begin(bool is_map, bool known_count, std::uint64_t count);
    Encoder& key_head(std::uint8_t major, std::uint64_t argument);
    bool begin_key();
    void end_key(std::size_t start);
    bool begin_item();
    void end_item();
    void set_error(Error error);
    void put(Bytes data);
    void put_head(std::uint8_t major, std::uint64_t argument);
    void put_string(std::uint8_t major, Bytes data);

    MutableBytes out_;
    std::size_t position_ = 0;
    std::size_t depth_ = 0;
    bool counting_ = false;
    bool complete_ = false; // the one top-level item is written
    bool tagged_ = false;   // a tag was written, its item not
    std::optional<Error> error_;
    std::array<Frame, kMaxDepth> frames_; // the first depth_ are in use; the rest stays uninitialized
};

// A map key: an integer or text.
struct Key {
    Type type;                  // uint, negative or text
    std::uint64_t value = 0;    // of a uint; a negative key is -1 - value
    std::string_view name = {}; // of a text key

    static constexpr std::uint64_t kNoNumber = ~std::uint64_t{0};

    // The number of a uint key; kNoNumber for any other: made for switch.
    [[nodiscard]] constexpr std::uint64_t number() const { return type == Type::uint ? value : kNoNumber; }
    [[nodiscard]] constexpr bool is(std::uint64_t wanted) const { return type == Type::uint && value == wanted; }
    [[nodiscard]] constexpr bool is(std::string_view wanted) const { return type == Type::text && name == wanted; }
};

// Reads one item from a span. A failed read of one item or key does not move the position; skip, raw and leave may have
// moved, and expect_key has taken the key. Errors:
//   truncated   the input ends inside an item
//   bad_format  not deterministic CBOR, another type than asked for, or fewer items in the container than asked for
//   overflow    integer() on a value that does not fit 64 bits with sign
//   too_large   nested deeper than kMaxDepth
class Decoder {
public:
    explicit Decoder(Bytes data) : data_(data) {}

    // The type of the next item. At the end of a container or of the input: bad_format, truncated.
    [[nodiscard]] Result<Type> peek() const;

    [[nodiscard]] Result<std::uint64_t> uint();
    [[nodiscard]] Result<std::int64_t> integer();
    [[nodiscard]] Result<Bytes> bytes();
    [[nodiscard]] Result<std::string_view> text();
    [[nodiscard]] Result<bool> boolean();
    [[nodiscard]] Result<> null();
    [[nodiscard]] Result<std::uint64_t> float64_bits();
    template <typename D = double>
    [[nodiscard]] Result<D> float64() {
        return std::bit_cast<D>(TRY(float64_bits()));
    }

    // Passes over the tag of the next item, which must be this one. A tag that nobody asks for is refused.
    [[nodiscard]] Result<> tag(std::uint64_t number);

    // bytes() of exactly `out.size()` bytes, copied: for hashes and identifiers.
    [[nodiscard]] Result<> bytes_into(MutableBytes out);

    // Enters an array or a map and returns its number of items or pairs. The number is never larger than what is left
    // of the input could hold.
    [[nodiscard]] Result<std::uint64_t> array_begin();
    [[nodiscard]] Result<std::uint64_t> map_begin();

    // Inside an array: true if there is another item; false leaves the array.
    [[nodiscard]] Result<bool> array_next();
    // Inside a map: the next key, whose value is to be read next; nothing leaves the map.
    [[nodiscard]] Result<std::optional<Key>> next_key();
    // The next key, which must be this number: for maps whose keys are all required.
    [[nodiscard]] Result<> expect_key(std::uint64_t number);
    // Leaves the innermost container, which must be at its end.
    [[nodiscard]] Result<> end();
    // Leaves the innermost container, past what is left of it.
    [[nodiscard]] Result<> leave();

    // Passes over one item, whatever it is, and checks all of it.
    [[nodiscard]] Result<> skip();
    // The same, and returns the bytes of the item.
    [[nodiscard]] Result<Bytes> raw();

    // Nothing may follow the one item, and every container must have been left.
    [[nodiscard]] Result<> finish() const;

    [[nodiscard]] std::size_t position() const { return position_; }
    [[nodiscard]] std::size_t depth() const { return depth_; }

private:
    friend Result<> validate(Bytes, std::size_t);

    struct Head {
        std::uint8_t major;
        std::uint8_t info;
        std::uint64_t argument;
        std::size_t end; // offset behind the head
    };
    struct Frame {
        bool is_map;
        bool value_next;
        std::uint64_t items; // items or pairs not yet begun
        std::size_t key;
        std::size_t key_length;
    };

    [[nodiscard]] Result<Head> read_head(std::size_t at) const;
    [[nodiscard]] Result<Head> read_head_or_tag(std::size_t at) const;
    [[nodiscard]] Result<> check_item_expected() const;
    [[nodiscard]] Result<Head> item_head(std::uint8_t major) const;
    [[nodiscard]] Result<Bytes> string_at(const Head& head) const;
    void consume_item(std::size_t end);
    [[nodiscard]] Result<std::uint64_t> container_begin(bool is_map);
    [[nodiscard]] Result<> skip_scalar();

    Bytes data_;
    std::size_t position_ = 0;
    std::size_t depth_ = 0;
    std::size_t max_depth_ = kMaxDepth;
    bool complete_ = false;               // the one top-level item was begun
    std::array<Frame, kMaxDepth> frames_; // the first depth_ are in use; the rest stays uninitialized
};

// Checks that `data` is exactly one item in deterministic encoding, nested at most `max_depth` (at most kMaxDepth)
// deep.
[[nodiscard]] Result<> validate(Bytes data, std::size_t max_depth = kMaxDepth);

} // namespace aios::cbor
