// What a static C++23 program takes from its library: streams, exceptions, containers, random numbers, locale-free
// formatting.
#include <algorithm>
#include <any>
#include <format>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <ranges>
#include <set>
#include <sstream>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

struct Counted {
    static inline int alive = 0;
    Counted() { ++alive; }
    Counted(const Counted&) { ++alive; }
    ~Counted() { --alive; }
};

[[gnu::noinline]] int deep(int depth) {
    Counted here;
    if (depth == 0) throw std::runtime_error("bottom");
    return deep(depth - 1) + 1;
}

struct Base {
    virtual ~Base() = default;
    virtual int value() const { return 1; }
};
struct Derived : Base {
    int value() const override { return 2; }
};

// As they were given to main.
int argc;
char** argv;

int initialised_before_main = [] { return 42; }();

LINUX_TEST(arguments) {
    CHECK(argc >= 1);
    CHECK(argv[argc] == nullptr);
    CHECK(std::string(argv[0]).find("test_language") != std::string::npos);
}

LINUX_TEST(initialisers) { CHECK(initialised_before_main == 42); }

LINUX_TEST(exceptions) {
    bool caught = false;
    try {
        deep(100);
    } catch (const std::runtime_error& error) {
        caught = std::string(error.what()) == "bottom";
    }
    CHECK(caught);
    CHECK(Counted::alive == 0);
    int rethrown = 0;
    try {
        try {
            (void)std::vector<int>().at(3);
        } catch (...) {
            ++rethrown;
            throw;
        }
    } catch (const std::out_of_range&) {
        ++rethrown;
    }
    CHECK(rethrown == 2);
}

LINUX_TEST(exception_pointer) {
    std::exception_ptr pointer;
    try {
        throw std::logic_error("kept");
    } catch (...) {
        pointer = std::current_exception();
    }
    bool again = false;
    try {
        std::rethrow_exception(pointer);
    } catch (const std::logic_error& error) {
        again = std::string(error.what()) == "kept";
    }
    CHECK(again);
}

LINUX_TEST(dynamic_types) {
    std::unique_ptr<Base> object = std::make_unique<Derived>();
    CHECK(dynamic_cast<Derived*>(object.get()) != nullptr);
    CHECK(object->value() == 2);
    std::any any = std::string("text");
    CHECK(std::any_cast<std::string>(any) == "text");
    bool bad = false;
    try {
        (void)std::any_cast<int>(any);
    } catch (const std::bad_any_cast&) {
        bad = true;
    }
    CHECK(bad);
}

LINUX_TEST(containers) {
    std::map<std::string, std::vector<int>> map;
    for (int i = 0; i < 10000; ++i)
        map[std::to_string(i % 100)].push_back(i);
    CHECK(map.size() == 100);
    std::unordered_map<int, std::unique_ptr<std::string>> table;
    for (int i = 0; i < 10000; ++i)
        table[i] = std::make_unique<std::string>(std::to_string(i));
    CHECK(*table[4242] == "4242");
    auto even = std::views::iota(0, 100) | std::views::filter([](int i) { return i % 2 == 0; });
    CHECK(std::ranges::distance(even) == 50);
}

LINUX_TEST(streams) {
    std::ostringstream out;
    out << 1 << ' ' << 2.5 << ' ' << std::hex << 255;
    CHECK(out.str() == "1 2.5 ff");
    std::istringstream in("10 20 x");
    int a = 0, b = 0, c = 0;
    in >> a >> b >> c;
    CHECK(a == 10 && b == 20 && in.fail());
    CHECK(std::format("{:>6.2f}|{:#x}", 3.14159, 48879) == "  3.14|0xbeef");
    std::cout << "a line through iostream" << std::endl;
    std::string line;
    CHECK(!std::getline(std::cin, line) || !line.empty() || true); // standard input may be anything: it must return
}

LINUX_TEST(random_device) {
    std::random_device device;
    std::set<unsigned> seen;
    for (int i = 0; i < 64; ++i)
        seen.insert(device());
    CHECK(seen.size() >= 60);
    std::mt19937 engine(1);
    CHECK(engine() == 1791095845u);
}

LINUX_TEST(floating_point) {
    volatile double zero = 0.0;
    CHECK(std::isinf(1.0 / zero));
    CHECK(std::isnan(zero / zero));
    std::vector<double> values(1000, 0.1);
    double sum = 0;
    for (double value : values)
        sum += value;
    CHECK(sum > 99.9999 && sum < 100.0001);
}

LINUX_TEST(environment) { CHECK(std::getenv("A_NAME_THAT_NOBODY_SETS") == nullptr); }

} // namespace

int main(int count, char** arguments) {
    argc = count;
    argv = arguments;
    return run_all("language");
}
