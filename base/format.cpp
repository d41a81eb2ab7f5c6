// The formatter behind format() and format_to(). The format string was checked when the program was compiled.
#include "base/format.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace aios {

namespace detail {

namespace {

struct Spec {
    bool left = false;
    bool right = false;
    bool zero = false;
    unsigned width = 0;
    char type = 'd';
};

// Text is padded on its right, numbers on their left, unless the spec says otherwise.
struct Output {
    FormatSink sink;
    void* context;

    void put(std::string_view text) const {
        if (!text.empty()) sink(context, text);
    }
    void pad(std::size_t count) const {
        constexpr std::string_view kSpaces = "                ";
        for (; count > kSpaces.size(); count -= kSpaces.size())
            put(kSpaces);
        put({kSpaces.data(), count});
    }
    void aligned(const Spec& spec, std::string_view text, bool right_by_default) const {
        const std::size_t fill = spec.width > text.size() ? spec.width - text.size() : 0;
        const bool right = spec.right || (right_by_default && !spec.left);
        if (right) pad(fill);
        put(text);
        if (!right) pad(fill);
    }
};

// Digits are made from the end of a buffer forwards. The widest number is 64 binary digits or 255 padded ones, and a
// sign.
class Digits {
public:
    void prepend(char c) { buffer_[--start_] = c; }

    void number(std::uint64_t value, unsigned base, bool upper) {
        const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
        do {
            prepend(digits[value % base]);
            value /= base;
        } while (value != 0);
    }

    void zeros_to(std::size_t length) {
        while (size() < length)
            prepend('0');
    }

    [[nodiscard]] std::size_t size() const { return sizeof(buffer_) - start_; }
    [[nodiscard]] std::string_view text() const { return {buffer_ + start_, size()}; }

private:
    char buffer_[264];
    std::size_t start_ = sizeof(buffer_);
};

void put_integer(const Output& out, const Spec& spec, const FormatArg& arg) {
    std::uint64_t value = arg.number;
    bool negative = false;
    if (arg.kind == FormatArg::Kind::signed_integer) {
        if (spec.type == 'd') {
            negative = static_cast<std::int64_t>(value) < 0;
            if (negative) value = 0 - value;
        } else if (arg.decimals < 8) {
            value &= (std::uint64_t{1} << (8 * arg.decimals)) - 1;
        }
    }
    const bool hex = spec.type == 'x' || spec.type == 'X' || arg.kind == FormatArg::Kind::pointer;
    Digits digits;
    digits.number(value, hex ? 16 : spec.type == 'b' ? 2 : 10, spec.type == 'X');
    if (spec.zero) digits.zeros_to(spec.width - (negative && spec.width != 0 ? 1 : 0));
    if (arg.kind == FormatArg::Kind::pointer) {
        digits.prepend('x');
        digits.prepend('0');
    }
    if (negative) digits.prepend('-');
    out.aligned(spec, digits.text(), true);
}

void put_fixed(const Output& out, const Spec& spec, const FormatArg& arg) {
    const bool negative = static_cast<std::int64_t>(arg.number) < 0;
    std::uint64_t value = negative ? 0 - arg.number : arg.number;
    const unsigned decimals = std::min(arg.decimals, 18u);
    Digits digits;
    for (unsigned i = 0; i < decimals; ++i) {
        digits.prepend(static_cast<char>('0' + value % 10));
        value /= 10;
    }
    if (decimals != 0) digits.prepend('.');
    digits.number(value, 10, false);
    if (negative) digits.prepend('-');
    out.aligned(spec, digits.text(), true);
}

void put_hex(const Output& out, const Spec& spec, const FormatArg& arg) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto* bytes = static_cast<const std::byte*>(arg.data);
    const std::size_t fill = spec.width > 2 * arg.size ? spec.width - 2 * arg.size : 0;
    if (spec.right) out.pad(fill);
    for (std::size_t i = 0; i < arg.size; ++i) {
        const auto value = static_cast<std::uint8_t>(bytes[i]);
        const char pair[2] = {kDigits[value >> 4], kDigits[value & 15]};
        out.put({pair, 2});
    }
    if (!spec.right) out.pad(fill);
}

void put_arg(const Output& out, const Spec& spec, const FormatArg& arg) {
    switch (arg.kind) {
    case FormatArg::Kind::unsigned_integer:
    case FormatArg::Kind::signed_integer:
    case FormatArg::Kind::pointer:
        return put_integer(out, spec, arg);
    case FormatArg::Kind::text:
        return out.aligned(spec, {static_cast<const char*>(arg.data), arg.size}, false);
    case FormatArg::Kind::character: {
        const char c = static_cast<char>(arg.number);
        if (spec.type != 'd' || spec.zero) return put_integer(out, spec, arg);
        return out.aligned(spec, {&c, 1}, false);
    }
    case FormatArg::Kind::boolean:
        if (spec.type != 'd' || spec.zero) return put_integer(out, spec, arg);
        return out.aligned(spec, arg.number != 0 ? std::string_view("true", 4) : std::string_view("false", 5), false);
    case FormatArg::Kind::fixed:
        return put_fixed(out, spec, arg);
    case FormatArg::Kind::hex:
        return put_hex(out, spec, arg);
    }
}

// Reads a spec from behind the opening brace and moves `i` to the closing one.
Spec read_spec(std::string_view format, std::size_t& i) {
    Spec spec;
    if (format[i] == ':') ++i;
    if (format[i] == '<' || format[i] == '>') (format[i++] == '<' ? spec.left : spec.right) = true;
    if (format[i] == '0') {
        spec.zero = true;
        ++i;
    }
    while (format[i] >= '0' && format[i] <= '9')
        spec.width = spec.width * 10 + static_cast<unsigned>(format[i++] - '0');
    if (format[i] != '}') spec.type = format[i++];
    return spec;
}

} // namespace

void format_pieces(FormatSink sink, void* context, std::string_view format, std::span<const FormatArg> args) {
    const Output out{sink, context};
    std::size_t used = 0;
    std::size_t plain = 0; // start of the text not yet put out
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '{' && format[i] != '}') continue;
        out.put({format.data() + plain, i - plain});
        if (i + 1 < format.size() && format[i + 1] == format[i]) {
            plain = ++i; // the second brace is the text
            continue;
        }
        ++i;
        const Spec spec = read_spec(format, i);
        AIOS_ASSERT(used < args.size());
        put_arg(out, spec, args[used++]);
        plain = i + 1;
    }
    if (plain < format.size()) out.put({format.data() + plain, format.size() - plain});
}

} // namespace detail

void TextBuffer::write(std::string_view text) {
    const std::size_t room = buffer_.size() - used_;
    const std::size_t taken = truncated_ ? 0 : std::min(room, text.size());
    std::copy_n(text.data(), taken, buffer_.data() + used_);
    used_ += taken;
    if (taken != text.size()) truncated_ = true;
}

} // namespace aios
