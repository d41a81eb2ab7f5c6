// The deterministic CBOR encoder. See cbor.hpp.
#include <algorithm>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "base/cbor_float.hpp"
#include "base/utf8.hpp"

namespace aios::cbor {

namespace {

// Writes the shortest head for `argument`; returns its length.
std::size_t make_head(std::uint8_t major, std::uint64_t argument, std::array<std::byte, kMaxHead>& head) {
    const auto initial = [&](std::uint8_t info) { head[0] = static_cast<std::byte>((major << 5) | info); };
    if (argument < 24) {
        initial(static_cast<std::uint8_t>(argument));
        return 1;
    }
    if (argument <= 0xff) {
        initial(24);
        head[1] = static_cast<std::byte>(argument);
        return 2;
    }
    if (argument <= 0xffff) {
        initial(25);
        store_be(&head[1], static_cast<std::uint16_t>(argument));
        return 3;
    }
    if (argument <= 0xffff'ffff) {
        initial(26);
        store_be(&head[1], static_cast<std::uint32_t>(argument));
        return 5;
    }
    initial(27);
    store_be(&head[1], argument);
    return 9;
}

} // namespace

std::size_t bytes_head(std::uint64_t size, std::array<std::byte, kMaxHead>& head) { return make_head(2, size, head); }

void Encoder::set_error(Error error) {
    // A full span is the weakest error: a wrong call after it must still show.
    if (!error_ || *error_ == Error::no_space) error_ = error;
}

void Encoder::put(Bytes data) {
    if (!counting_) {
        if (position_ <= out_.size() && data.size() <= out_.size() - position_) {
            std::copy(data.begin(), data.end(), out_.begin() + static_cast<std::ptrdiff_t>(position_));
        } else if (!error_) {
            error_ = Error::no_space;
        }
    }
    position_ += data.size();
}

void Encoder::put_head(std::uint8_t major, std::uint64_t argument) {
    std::array<std::byte, kMaxHead> head;
    put(Bytes(head.data(), make_head(major, argument, head)));
}

void Encoder::put_string(std::uint8_t major, Bytes data) {
    put_head(major, data.size());
    put(data);
}

// Called before an item is written: may one stand here?
bool Encoder::begin_item() {
    const bool allowed = depth_ == 0 ? !complete_ : !frames_[depth_ - 1].is_map || frames_[depth_ - 1].value_next;
    if (!allowed) set_error(Error::bad_state);
    tagged_ = false;
    return allowed;
}

// Called after an item: counts it, and closes the containers that it completes.
void Encoder::end_item() {
    for (;;) {
        if (depth_ == 0) {
            complete_ = true;
            return;
        }
        Frame& frame = frames_[depth_ - 1];
        frame.value_next = false;
        if (!frame.known_count) {
            ++frame.items;
            return;
        }
        if (--frame.items != 0) return;
        --depth_;
    }
}

Encoder& Encoder::begin(bool is_map, bool known_count, std::uint64_t count) {
    if (!begin_item()) return *this;
    if (depth_ == kMaxDepth) {
        set_error(Error::bad_argument);
        return *this;
    }
    const std::size_t head = position_;
    put_head(is_map ? 5 : 4, count);
    if (known_count && count == 0) {
        end_item();
        return *this;
    }
    frames_[depth_++] = {.is_map = is_map,
                         .known_count = known_count,
                         .value_next = false,
                         .items = count,
                         .head = head,
                         .key = 0,
                         .key_length = 0};
    return *this;
}

Encoder& Encoder::close() {
    if (tagged_ || depth_ == 0 || frames_[depth_ - 1].known_count || frames_[depth_ - 1].value_next) {
        set_error(Error::bad_state);
        return *this;
    }
    // Room for one byte was left; a longer head moves the contents.
    const Frame frame = frames_[--depth_];
    std::array<std::byte, kMaxHead> head;
    const std::size_t length = make_head(frame.is_map ? 5 : 4, frame.items, head);
    const std::size_t old_end = position_;
    position_ += length - 1;
    if (!counting_) {
        if (position_ <= out_.size()) {
            const auto at = [&](std::size_t offset) { return out_.begin() + static_cast<std::ptrdiff_t>(offset); };
            if (length > 1) std::copy_backward(at(frame.head + 1), at(old_end), at(position_));
            std::copy_n(head.begin(), length, at(frame.head));
        } else if (!error_) {
            error_ = Error::no_space;
        }
    }
    end_item();
    return *this;
}

bool Encoder::begin_key() {
    const bool allowed = depth_ != 0 && frames_[depth_ - 1].is_map && !frames_[depth_ - 1].value_next;
    if (!allowed) set_error(Error::bad_state);
    return allowed;
}

// The key stands at [start, position_): it must be greater than the one before it.
void Encoder::end_key(std::size_t start) {
    Frame& frame = frames_[depth_ - 1];
    if (!counting_ && position_ <= out_.size() && frame.key_length != 0) {
        const Bytes before = out_.subspan(frame.key, frame.key_length);
        const Bytes now = out_.subspan(start, position_ - start);
        if (!std::ranges::lexicographical_compare(before, now)) set_error(Error::bad_argument);
    }
    frame.key = start;
    frame.key_length = position_ - start;
    frame.value_next = true;
}

Encoder& Encoder::key_head(std::uint8_t major, std::uint64_t argument) {
    if (!begin_key()) return *this;
    const std::size_t start = position_;
    put_head(major, argument);
    end_key(start);
    return *this;
}

Encoder& Encoder::key(std::string_view name) {
    if (!begin_key()) return *this;
    if (!utf8::is_valid(name)) set_error(Error::bad_argument);
    const std::size_t start = position_;
    put_string(3, as_bytes(name));
    end_key(start);
    return *this;
}

Encoder& Encoder::uint(std::uint64_t value) {
    if (!begin_item()) return *this;
    put_head(0, value);
    end_item();
    return *this;
}

Encoder& Encoder::integer(std::int64_t value) {
    if (!begin_item()) return *this;
    // -1 - value is the complement, and never overflows.
    if (value < 0) {
        put_head(1, ~static_cast<std::uint64_t>(value));
    } else {
        put_head(0, static_cast<std::uint64_t>(value));
    }
    end_item();
    return *this;
}

Encoder& Encoder::bytes(Bytes value) {
    if (!begin_item()) return *this;
    put_string(2, value);
    end_item();
    return *this;
}

Encoder& Encoder::text(std::string_view value) {
    if (!begin_item()) return *this;
    if (!utf8::is_valid(value)) set_error(Error::bad_argument);
    put_string(3, as_bytes(value));
    end_item();
    return *this;
}

Encoder& Encoder::boolean(bool value) {
    if (!begin_item()) return *this;
    put_head(7, value ? 21 : 20);
    end_item();
    return *this;
}

Encoder& Encoder::null() {
    if (!begin_item()) return *this;
    put_head(7, 22);
    end_item();
    return *this;
}

Encoder& Encoder::float64_bits(std::uint64_t bits) {
    if (!begin_item()) return *this;
    std::array<std::byte, kMaxHead> item;
    std::size_t length;
    const auto half =
        detail::is_nan64(bits) ? std::optional(detail::kCanonicalNan16) : detail::narrow_float(bits, detail::kBinary16);
    if (half) {
        item[0] = std::byte{0xf9};
        store_be(&item[1], static_cast<std::uint16_t>(*half));
        length = 3;
    } else if (const auto single = detail::narrow_float(bits, detail::kBinary32)) {
        item[0] = std::byte{0xfa};
        store_be(&item[1], static_cast<std::uint32_t>(*single));
        length = 5;
    } else {
        item[0] = std::byte{0xfb};
        store_be(&item[1], bits);
        length = 9;
    }
    put(Bytes(item.data(), length));
    end_item();
    return *this;
}

Encoder& Encoder::tag(std::uint64_t number) {
    if (!begin_item()) return *this;
    put_head(6, number);
    tagged_ = true;
    return *this;
}

Encoder& Encoder::raw(Bytes item) {
    if (!begin_item()) return *this;
    if (!validate(item, kMaxDepth - depth_)) set_error(Error::bad_argument);
    put(item);
    end_item();
    return *this;
}

Result<Bytes> Encoder::finish() const {
    if (error_) return fail(*error_);
    if (depth_ != 0 || !complete_) return fail(Error::bad_state);
    return counting_ ? Bytes() : Bytes(out_.first(position_));
}

} // namespace aios::cbor
