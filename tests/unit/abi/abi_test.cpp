// The ABI's tables: numbers are unique, names of rights and objects exist, every error is known by its number, and the
// reference in docs/ is the one that the tables make.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "abi/call_types.hpp"
#include "abi/errors.hpp"
#include "abi/rights.hpp"
#include "tools/abigen/reference.hpp"

namespace aios {
namespace {

TEST(Abi, CallNumbersAreUniqueAndNative) {
    std::set<unsigned> seen;
#define CALL(number, name, document_name, object, right, audit, restart, charge, arguments)                            \
    EXPECT_TRUE(seen.insert(number).second) << #name;                                                                  \
    EXPECT_GE(number, 4096);
#include "abi/calls.def"
#undef CALL
    EXPECT_GE(seen.size(), 40u);
}

TEST(Abi, TheThirteenCallsAreThere) {
    std::set<std::string> names;
#define CALL(number, name, document_name, object, right, audit, restart, charge, arguments) names.insert(document_name);
#include "abi/calls.def"
#undef CALL
    for (const char* name : {"AgentSpawn", "AgentSupervisorRegister", "AgentRegister", "AgentKill", "IPCSend",
                             "IPCRecv", "AgentMemAlloc", "AgentMemFree", "FrameAlloc", "PageMap", "AgentPoolAlloc",
                             "PQCOperation", "GetAsyncResult", "ipc_call", "ipc_reply_wait"})
        EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Abi, ErrorsKnowThemselves) {
    std::set<std::string_view> names;
    for (unsigned number = 0; number < 100; ++number) {
        if (!is_error_number(number)) continue;
        const ErrorInfo info = error_info(static_cast<Error>(number));
        EXPECT_TRUE(names.insert(info.name).second);
        EXPECT_FALSE(info.sentence.empty());
    }
    EXPECT_FALSE(is_error_number(0));
    EXPECT_EQ(error_info(static_cast<Error>(999)).name, "unknown");
}

// What crosses the border has no padding: every byte of it is a value.
TEST(Abi, StructuresHaveNoPadding) {
    EXPECT_TRUE(std::has_unique_object_representations_v<SpawnRequest>);
    EXPECT_TRUE(std::has_unique_object_representations_v<AgentInfo>);
    EXPECT_TRUE(std::has_unique_object_representations_v<Message>);
    EXPECT_TRUE(std::has_unique_object_representations_v<StartupBlock>);
    EXPECT_TRUE(std::has_unique_object_representations_v<HandleInfo>);
    EXPECT_TRUE(std::has_unique_object_representations_v<TreeEntry>);
    EXPECT_TRUE(std::has_unique_object_representations_v<EventPacket>);
}

TEST(Abi, TheReferenceIsUpToDate) {
    std::ifstream file(AIOS_SOURCE "/docs/reference/calls.md", std::ios::binary);
    std::stringstream committed;
    committed << file.rdbuf();
    EXPECT_TRUE(committed.str() == abigen::call_reference())
        << "docs/reference/calls.md differs from abi/*.def: run aios-abigen docs/reference/calls.md";
}

} // namespace
} // namespace aios
