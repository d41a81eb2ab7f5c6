#include "tools/aios/record/frames.hpp"

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "tests/unit/host/messages.hpp"
#include "tests/unit/host/support.hpp"

namespace aios::host {
namespace {

struct Taken {
    std::uint64_t kind;
    std::uint64_t agent;
    std::string name;
    std::string body;
};

class FrameStream {
public:
    Outcome<> feed(std::string_view bytes) {
        return reader_.feed(bytes, [&](const Frame& frame) -> Outcome<> {
            taken.push_back({static_cast<std::uint64_t>(frame.kind), frame.agent, std::string(frame.name),
                             std::string(as_text(frame.body))});
            return {};
        });
    }
    Outcome<> finish() const { return reader_.finish(); }
    std::vector<Taken> taken;

private:
    FrameReader reader_;
};

std::string sample() { return encode_frame(FrameKind::console, 7, "reader", as_bytes(cbor_bytes("hello"))); }

TEST(Frames, WholeAndInPieces) {
    const std::string stream = sample() + encode_frame(FrameKind::note, 0, "kernel", as_bytes(cbor_text("x")));
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        FrameStream frames;
        for (std::size_t at = 0; at < stream.size(); at += piece)
            ASSERT_TRUE(frames.feed(std::string_view(stream).substr(at, piece)));
        ASSERT_TRUE(frames.finish());
        ASSERT_EQ(frames.taken.size(), 2u);
        EXPECT_EQ(frames.taken[0].agent, 7u);
        EXPECT_EQ(frames.taken[0].name, "reader");
        EXPECT_EQ(frames.taken[0].body, cbor_bytes("hello"));
        EXPECT_EQ(frames.taken[1].kind, 8u);
    }
}

TEST(Frames, EveryFlippedBitIsFound) {
    const std::string good = sample();
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        FrameStream frames;
        const bool refused = !frames.feed(bad) || !frames.finish();
        EXPECT_TRUE(refused) << bit;
    }
}

TEST(Frames, EveryCutIsFound) {
    const std::string good = sample();
    for (std::size_t length = 1; length < good.size(); ++length) {
        FrameStream frames;
        EXPECT_TRUE(frames.feed(std::string_view(good).substr(0, length)));
        EXPECT_FALSE(frames.finish());
        EXPECT_TRUE(frames.taken.empty());
    }
}

TEST(Frames, LengthIsBoundedBeforeAnythingIsKept) {
    FrameStream frames;
    EXPECT_FALSE(frames.feed(std::string("AIOF\xff\xff\xff\x7f\0\0\0\0", 12)));
    FrameStream other;
    EXPECT_FALSE(other.feed("garbage"));
}

TEST(Frames, LargestPayloadPasses) {
    // The envelope around the body of this frame takes 9 bytes, the head of the string 5.
    const std::string body = cbor_bytes(std::string(kMaxFramePayload - 14, 'x'));
    const std::string frame = encode_frame(FrameKind::console, 1, "a", as_bytes(body));
    ASSERT_EQ(frame.size(), kFrameHead + kMaxFramePayload);
    FrameStream frames;
    EXPECT_TRUE(frames.feed(frame));
    EXPECT_EQ(frames.taken.size(), 1u);
    const std::string over =
        encode_frame(FrameKind::console, 1, "a", as_bytes(cbor_bytes(std::string(kMaxFramePayload - 13, 'x'))));
    FrameStream refused;
    EXPECT_FALSE(refused.feed(over));
}

} // namespace
} // namespace aios::host
