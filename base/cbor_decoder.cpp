// The strict CBOR decoder. See cbor.hpp. Every read checks the bounds first; the state changes only when the read
// succeeds.
#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "base/cbor_float.hpp"
#include "base/utf8.hpp"

namespace aios::cbor {

namespace {

enum Major : std::uint8_t {
    kUint = 0,
    kNegative = 1,
    kBytes = 2,
    kText = 3,
    kArray = 4,
    kMap = 5,
    kTag = 6,
    kSimple = 7,
};

constexpr std::uint8_t kFalse = 20;
constexpr std::uint8_t kTrue = 21;
constexpr std::uint8_t kNull = 22;

// The binary64 bits of a float item, if it is in its shortest form.
Result<std::uint64_t> float_value(std::uint8_t info, std::uint64_t argument) {
    using namespace detail;
    if (info == 25) {
        if ((argument & 0x7fff) > 0x7c00) {
            if (argument != kCanonicalNan16) return fail(Error::bad_format);
            return kCanonicalNan64;
        }
        return widen_float(argument, kBinary16);
    }
    const bool single = info == 26;
    if (single && (argument & 0x7fff'ffff) > 0x7f80'0000) return fail(Error::bad_format);
    const std::uint64_t bits = single ? widen_float(argument, kBinary32) : argument;
    if (is_nan64(bits) || narrow_float(bits, kBinary16)) return fail(Error::bad_format);
    if (!single && narrow_float(bits, kBinary32)) return fail(Error::bad_format);
    return bits;
}

} // namespace

// Reads initial byte and argument at `at`, and refuses every form that is not the shortest.
Result<Decoder::Head> Decoder::read_head_or_tag(std::size_t at) const {
    if (at >= data_.size()) return fail(Error::truncated);
    const auto initial = static_cast<std::uint8_t>(data_[at]);
    Head head{.major = static_cast<std::uint8_t>(initial >> 5),
              .info = static_cast<std::uint8_t>(initial & 31),
              .argument = static_cast<std::uint64_t>(initial & 31),
              .end = at + 1};
    if (head.info < 24) {
        if (head.major == kSimple && head.info != kFalse && head.info != kTrue && head.info != kNull) {
            return fail(Error::bad_format);
        }
        return head;
    }
    if (head.info > 27) return fail(Error::bad_format); // reserved, or an indefinite length

    const std::size_t width = std::size_t{1} << (head.info - 24);
    if (width > data_.size() - head.end) return fail(Error::truncated);
    const std::byte* from = data_.data() + head.end;
    std::uint64_t smallest = 24; // the smallest argument that needs this width
    switch (width) {
    case 1:
        head.argument = load_be<std::uint8_t>(from);
        break;
    case 2:
        head.argument = load_be<std::uint16_t>(from);
        smallest = 0x100;
        break;
    case 4:
        head.argument = load_be<std::uint32_t>(from);
        smallest = 0x1'0000;
        break;
    default:
        head.argument = load_be<std::uint64_t>(from);
        smallest = 0x1'0000'0000;
        break;
    }
    head.end += width;
    if (head.major == kSimple) {
        if (width == 1) return fail(Error::bad_format); // a simple value that we do not know
        return head;
    }
    if (head.argument < smallest) return fail(Error::bad_format);
    return head;
}

// The same for an item; tags are refused.
Result<Decoder::Head> Decoder::read_head(std::size_t at) const {
    if (at < data_.size() && static_cast<std::uint8_t>(data_[at]) >> 5 == kTag) return fail(Error::bad_format);
    return read_head_or_tag(at);
}

// May an item stand at the position?
Result<> Decoder::check_item_expected() const {
    if (depth_ == 0) {
        if (complete_) return fail(Error::bad_format);
        return {};
    }
    const Frame& frame = frames_[depth_ - 1];
    if (frame.is_map ? !frame.value_next : frame.items == 0) return fail(Error::bad_format);
    return {};
}

Result<Decoder::Head> Decoder::item_head(std::uint8_t major) const {
    TRY(check_item_expected());
    const Head head = TRY(read_head(position_));
    if (head.major != major) return fail(Error::bad_format);
    return head;
}

Result<Bytes> Decoder::string_at(const Head& head) const {
    if (head.argument > data_.size() - head.end) return fail(Error::truncated);
    const Bytes run = data_.subspan(head.end, head.argument);
    if (head.major == kText && !utf8::is_valid(as_text(run))) return fail(Error::bad_format);
    return run;
}

// Counts the item that is being read in its container, and moves on to `end`.
void Decoder::consume_item(std::size_t end) {
    position_ = end;
    if (depth_ == 0) {
        complete_ = true;
    } else if (Frame& frame = frames_[depth_ - 1]; frame.is_map) {
        frame.value_next = false; // the pair was counted with its key
    } else {
        --frame.items;
    }
}

Result<Type> Decoder::peek() const {
    TRY(check_item_expected());
    const Head head = TRY(read_head(position_));
    switch (head.major) {
    case kUint:
        return Type::uint;
    case kNegative:
        return Type::negative;
    case kBytes:
        return Type::bytes;
    case kText:
        return Type::text;
    case kArray:
        return Type::array;
    case kMap:
        return Type::map;
    default:
        if (head.info > 24) return Type::floating;
        return head.info == kNull ? Type::null : Type::boolean;
    }
}

Result<std::uint64_t> Decoder::uint() {
    const Head head = TRY(item_head(kUint));
    consume_item(head.end);
    return head.argument;
}

Result<std::int64_t> Decoder::integer() {
    TRY(check_item_expected());
    const Head head = TRY(read_head(position_));
    if (head.major != kUint && head.major != kNegative) return fail(Error::bad_format);
    if (head.argument > 0x7fff'ffff'ffff'ffff) return fail(Error::overflow);
    consume_item(head.end);
    const auto value = static_cast<std::int64_t>(head.argument);
    return head.major == kUint ? value : -1 - value;
}

Result<Bytes> Decoder::bytes() {
    const Head head = TRY(item_head(kBytes));
    const Bytes run = TRY(string_at(head));
    consume_item(head.end + run.size());
    return run;
}

// The item is still to be read afterwards, so nothing can end between the two.
Result<> Decoder::tag(std::uint64_t number) {
    TRY(check_item_expected());
    const Head head = TRY(read_head_or_tag(position_));
    if (head.major != kTag || head.argument != number) return fail(Error::bad_format);
    position_ = head.end;
    return {};
}

Result<> Decoder::bytes_into(MutableBytes out) {
    const Head head = TRY(item_head(kBytes));
    const Bytes run = TRY(string_at(head));
    if (run.size() != out.size()) return fail(Error::bad_format);
    std::copy(run.begin(), run.end(), out.begin());
    consume_item(head.end + run.size());
    return {};
}

Result<std::string_view> Decoder::text() {
    const Head head = TRY(item_head(kText));
    const Bytes run = TRY(string_at(head));
    consume_item(head.end + run.size());
    return as_text(run);
}

Result<bool> Decoder::boolean() {
    const Head head = TRY(item_head(kSimple));
    if (head.info != kFalse && head.info != kTrue) return fail(Error::bad_format);
    consume_item(head.end);
    return head.info == kTrue;
}

Result<> Decoder::null() {
    const Head head = TRY(item_head(kSimple));
    if (head.info != kNull) return fail(Error::bad_format);
    consume_item(head.end);
    return {};
}

Result<std::uint64_t> Decoder::float64_bits() {
    const Head head = TRY(item_head(kSimple));
    if (head.info <= 24) return fail(Error::bad_format);
    const std::uint64_t bits = TRY(float_value(head.info, head.argument));
    consume_item(head.end);
    return bits;
}

Result<std::uint64_t> Decoder::container_begin(bool is_map) {
    const Head head = TRY(item_head(is_map ? kMap : kArray));
    // Every item takes at least one byte: a count that cannot be true is refused before anybody trusts it.
    const std::uint64_t room = data_.size() - head.end;
    if (head.argument > (is_map ? room / 2 : room)) return fail(Error::truncated);
    if (depth_ == max_depth_) return fail(Error::too_large);
    consume_item(head.end);
    frames_[depth_++] = {.is_map = is_map, .value_next = false, .items = head.argument, .key = 0, .key_length = 0};
    return head.argument;
}

Result<std::uint64_t> Decoder::array_begin() { return container_begin(false); }
Result<std::uint64_t> Decoder::map_begin() { return container_begin(true); }

Result<bool> Decoder::array_next() {
    if (depth_ == 0 || frames_[depth_ - 1].is_map) return fail(Error::bad_format);
    if (frames_[depth_ - 1].items != 0) return true;
    --depth_;
    return false;
}

Result<std::optional<Key>> Decoder::next_key() {
    if (depth_ == 0) return fail(Error::bad_format);
    Frame& frame = frames_[depth_ - 1];
    if (!frame.is_map || frame.value_next) return fail(Error::bad_format);
    if (frame.items == 0) {
        --depth_;
        return std::nullopt;
    }

    const Head head = TRY(read_head(position_));
    Key key{.type = Type::uint, .value = head.argument};
    std::size_t end = head.end;
    if (head.major == kText) {
        key = {.type = Type::text, .name = as_text(TRY(string_at(head)))};
        end += key.name.size();
    } else if (head.major == kNegative) {
        key.type = Type::negative;
    } else if (head.major != kUint) {
        return fail(Error::bad_format);
    }

    const Bytes now = data_.subspan(position_, end - position_);
    if (frame.key_length != 0 &&
        !std::ranges::lexicographical_compare(data_.subspan(frame.key, frame.key_length), now)) {
        return fail(Error::bad_format); // out of order, or the same key again
    }
    frame.key = position_;
    frame.key_length = now.size();
    --frame.items;
    frame.value_next = true;
    position_ = end;
    return key;
}

Result<> Decoder::expect_key(std::uint64_t number) {
    const auto key = TRY(next_key());
    if (!key || !key->is(number)) return fail(Error::bad_format);
    return {};
}

Result<> Decoder::end() {
    if (depth_ == 0) return fail(Error::bad_format);
    const Frame& frame = frames_[depth_ - 1];
    if (frame.items != 0 || frame.value_next) return fail(Error::bad_format);
    --depth_;
    return {};
}

Result<> Decoder::leave() {
    if (depth_ == 0) return fail(Error::bad_format);
    const std::size_t outer = depth_ - 1;
    if (frames_[outer].is_map && frames_[outer].value_next) TRY(skip());
    while (depth_ > outer) {
        if (frames_[outer].is_map) {
            if (TRY(next_key())) TRY(skip());
        } else if (TRY(array_next())) {
            TRY(skip());
        }
    }
    return {};
}

Result<> Decoder::skip_scalar() {
    switch (TRY(peek())) {
    case Type::uint:
        TRY(uint());
        return {};
    case Type::negative: {
        // integer() would refuse what does not fit its result.
        const Head head = TRY(item_head(kNegative));
        consume_item(head.end);
        return {};
    }
    case Type::bytes:
        TRY(bytes());
        return {};
    case Type::text:
        TRY(text());
        return {};
    case Type::boolean:
        TRY(boolean());
        return {};
    case Type::null:
        return null();
    case Type::floating:
        TRY(float64_bits());
        return {};
    case Type::array:
    case Type::map:
        break;
    }
    AIOS_UNREACHABLE();
}

// Without recursion: the frames are the stack.
Result<> Decoder::skip() {
    const std::size_t outer = depth_;
    do {
        // Inside: step over a key, or leave a container that is at its end.
        if (depth_ > outer) {
            if (frames_[depth_ - 1].is_map) {
                if (!TRY(next_key())) continue;
            } else if (!TRY(array_next())) {
                continue;
            }
        }
        const Type type = TRY(peek());
        if (type == Type::array) {
            TRY(array_begin());
        } else if (type == Type::map) {
            TRY(map_begin());
        } else {
            TRY(skip_scalar());
        }
    } while (depth_ > outer);
    return {};
}

Result<Bytes> Decoder::raw() {
    const std::size_t start = position_;
    TRY(skip());
    return data_.subspan(start, position_ - start);
}

Result<> Decoder::finish() const {
    if (depth_ != 0 || !complete_) return fail(Error::bad_format);
    if (position_ != data_.size()) return fail(Error::bad_format);
    return {};
}

Result<> validate(Bytes data, std::size_t max_depth) {
    AIOS_ASSERT(max_depth <= kMaxDepth);
    Decoder decoder(data);
    decoder.max_depth_ = max_depth;
    TRY(decoder.skip());
    return decoder.finish();
}

} // namespace aios::cbor
