// What packages' scripts say of update-alternatives, read without running them.
#include <gtest/gtest.h>

#include "tools/aios/packages/debian.hpp"

namespace aios::host {
namespace {

TEST(Alternatives, AreReadFromScripts) {
    bool is_all = true;
    const auto found =
        read_alternatives("#!/bin/sh\nset -e\nver=1.16\nprio=10 # text\n"
                          "if [ \"$1\" = configure ]; then\n"
                          "  update-alternatives --quiet --install /usr/bin/awk awk /usr/bin/mawk 5 \\\n"
                          "\t--slave /usr/bin/nawk nawk '/usr/bin/mawk'\nfi\n"
                          "test -x x && /usr/bin/update-alternatives --install /usr/bin/automake automake \\\n"
                          "  /usr/bin/automake-$ver \"${prio}\" || true\n"
                          "# update-alternatives --install /a a /b 1\n",
                          is_all);
    EXPECT_TRUE(is_all);
    EXPECT_EQ(found, (std::vector<Alternative>{{"/usr/bin/awk", "awk", "/usr/bin/mawk", 5},
                                               {"/usr/bin/nawk", "nawk", "/usr/bin/mawk", 5},
                                               {"/usr/bin/automake", "automake", "/usr/bin/automake-1.16", 10}}));
}

TEST(Alternatives, WhatIsNotWrittenOutIsTold) {
    for (const char* script :
         {"for i in vi ex; do update-alternatives --install /usr/bin/$i $i /usr/bin/vim.basic 30; done",
          "x=`arch`; update-alternatives --install /l n /t/$x 1", "update-alternatives --install /l n /t many",
          "update-alternatives --install /l ../n /t 1", "update-alternatives --install l n t 1"}) {
        bool is_all = true;
        EXPECT_TRUE(read_alternatives(script, is_all).empty()) << script;
        EXPECT_FALSE(is_all) << script;
    }
    for (const char* script : {"", "$", "${", "a=$", "\"", "\\", "update-alternatives --install",
                               "update-alternatives --remove n /t", "${x}y\\\n", "echo --install /l n /t 1"}) {
        bool is_all = true;
        EXPECT_TRUE(read_alternatives(script, is_all).empty()) << script;
        EXPECT_TRUE(is_all) << script;
    }
}

} // namespace
} // namespace aios::host
