// Finding the functions that divide in a disassembly.
#include <gtest/gtest.h>

#include "tools/aios/test_levels.hpp"

namespace aios::host {

TEST(Divisions, NamesEachFunctionOfCryptoOnce) {
    const auto found = divisions("0000000000001000 <aios::crypto::reduce(unsigned int)>:\n"
                                 "    1000:\tmovl\t%edi, %eax\n"
                                 "    1004:\tdivl\t%ecx\n"
                                 "    1006:\tidivq\t%rcx\n"
                                 "    1008:\tretq\n"
                                 "0000000000001010 <aios::crypto::detail::clean()>:\n"
                                 "    1010:\tretq\n"
                                 "0000000000001020 <aios::crypto::detail::other()>:\n"
                                 "    1020:\tdivb\t%cl\n");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_TRUE(found[0].contains("aios::crypto::reduce"));
    EXPECT_TRUE(found[1].contains("aios::crypto::detail::other"));
}

TEST(Divisions, PassesOverOtherCodeAndFloatingPoint) {
    EXPECT_TRUE(divisions("0000000000001000 <aios::detail::put_integer(int)>:\n    1000:\tdivq\t%r10\n").empty());
    EXPECT_TRUE(divisions("0000000000001000 <aios::crypto::f()>:\n    1000:\tmovl\t%ecx, %eax # div\n").empty());
    EXPECT_TRUE(divisions("").empty());
}

} // namespace aios::host
