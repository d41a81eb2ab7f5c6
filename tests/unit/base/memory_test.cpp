// Ref and RefCount, the ring between two threads, and StaticVector.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/ref.hpp"
#include "base/ring.hpp"
#include "base/static_vector.hpp"

namespace aios {
namespace {

struct Object {
    explicit Object(int& alive_) : alive(alive_) { ++alive; }
    virtual ~Object() { --alive; }
    void retain() { count.retain(); }
    void release() {
        if (count.release()) delete this;
    }
    int& alive;
    RefCount count;
};
struct Derived : Object {
    using Object::Object;
};

TEST(Ref, CountsReferences) {
    int alive = 0;
    {
        Ref<Object> a = Ref<Object>::adopt(new Object(alive));
        EXPECT_EQ(a->count.value(), 1u);
        Ref<Object> b = a;
        Ref<Object> c = Ref<Object>::share(*b);
        EXPECT_EQ(a->count.value(), 3u);
        Ref<Object> d = std::move(b);
        EXPECT_FALSE(b);
        EXPECT_TRUE(b == nullptr);
        EXPECT_EQ(a->count.value(), 3u);
        c = d;
        EXPECT_EQ(a->count.value(), 3u);
        d = std::move(c);
        EXPECT_EQ(a->count.value(), 2u);
        EXPECT_TRUE(a == d);
        d = nullptr;
        EXPECT_EQ(a->count.value(), 1u);
        Ref<Object>& self = a;
        a = self;
        EXPECT_EQ(a->count.value(), 1u);
        Object* leaked = a.leak();
        EXPECT_EQ(alive, 1);
        a = Ref<Object>::adopt(leaked);
    }
    EXPECT_EQ(alive, 0);
}

TEST(Ref, ConvertsToItsBase) {
    int alive = 0;
    {
        Ref<Derived> derived = Ref<Derived>::adopt(new Derived(alive));
        Ref<Object> base = derived;
        EXPECT_EQ(derived->count.value(), 2u);
        Ref<Object> moved = std::move(derived);
        EXPECT_EQ(base->count.value(), 2u);
        Ref<Derived> back = static_ref_cast<Derived>(std::move(moved));
        EXPECT_EQ(base->count.value(), 2u);
        EXPECT_EQ(back.get(), base.get());
    }
    EXPECT_EQ(alive, 0);
}

TEST(RefCount, DoesNotComeBackFromZero) {
    RefCount count;
    EXPECT_TRUE(count.try_retain());
    EXPECT_FALSE(count.release());
    EXPECT_TRUE(count.release());
    EXPECT_FALSE(count.try_retain());
    EXPECT_DEATH(count.retain(), "old != 0");
    EXPECT_DEATH((void)count.release(), "old != 0");
}

TEST(SpscRing, FillsAndWraps) {
    SpscRing<std::unique_ptr<int>, 4> ring;
    int in = 0;
    int out = 0;
    for (int round = 0; round < 10; ++round) {
        while (true) {
            auto value = std::make_unique<int>(in);
            if (!ring.push(std::move(value))) {
                EXPECT_NE(value, nullptr); // still the caller's
                break;
            }
            ++in;
        }
        EXPECT_EQ(ring.size(), 4u);
        EXPECT_EQ(**ring.peek(), out);
        for (int i = 0; i < 1 + round % 4; ++i)
            EXPECT_EQ(**ring.pop(), out++);
    }
    while (auto value = ring.pop())
        EXPECT_EQ(**value, out++);
    EXPECT_EQ(in, out);
    EXPECT_TRUE(ring.is_empty());
    EXPECT_EQ(ring.peek(), nullptr);
}

TEST(SpscRing, CarriesEverythingInOrderBetweenThreads) {
    SpscRing<std::uint64_t, 64> ring;
    constexpr std::uint64_t kCount = 200000;
    std::thread producer([&] {
        for (std::uint64_t i = 0; i < kCount;) {
            if (ring.push(i)) {
                ++i;
            } else {
                std::this_thread::yield();
            }
        }
    });
    std::uint64_t expected = 0;
    while (expected < kCount) {
        const auto value = ring.pop();
        if (!value) {
            std::this_thread::yield();
            continue;
        }
        ASSERT_EQ(*value, expected);
        ++expected;
    }
    producer.join();
}

TEST(StaticVector, HoldsAndRefuses) {
    StaticVector<std::string, 3> vector;
    EXPECT_TRUE(vector.is_empty());
    EXPECT_TRUE(vector.push_back("one long enough to be on the heap, so that leaks show"));
    EXPECT_TRUE(vector.push_back("two"));
    EXPECT_TRUE(vector.push_back("three"));
    EXPECT_EQ(vector.push_back("four").error(), Error::no_space);
    EXPECT_TRUE(vector.is_full());
    StaticVector<std::string, 3> copy = vector;
    vector.erase_at(0);
    EXPECT_EQ(vector.size(), 2u);
    EXPECT_EQ(vector[0], "two");
    EXPECT_EQ(vector.back(), "three");
    EXPECT_EQ(copy.size(), 3u);
    StaticVector<std::string, 3> moved = std::move(copy);
    EXPECT_EQ(moved.size(), 3u);
    EXPECT_TRUE(copy.is_empty());
    copy = moved;
    moved = std::move(vector);
    EXPECT_EQ(moved.size(), 2u);
    EXPECT_EQ(copy.span().size(), 3u);
    EXPECT_TRUE(moved.resize(3));
    EXPECT_EQ(moved[2], "");
    EXPECT_EQ(moved.resize(4).error(), Error::no_space);
    EXPECT_TRUE(moved.resize(1));
    EXPECT_EQ(moved.size(), 1u);
    int count = 0;
    for (const std::string& text : copy)
        count += !text.empty();
    EXPECT_EQ(count, 3);
    EXPECT_DEATH((void)moved[1], "index < size_");
}

} // namespace
} // namespace aios
