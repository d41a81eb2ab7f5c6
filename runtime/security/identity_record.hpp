// What is known of an agent by its identity.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aios::security {

using Digest = std::array<std::byte, 32>;

struct Identity {
    std::uint64_t agent = 0; // this boot's number
    std::string name;        // as the kernel knows it, unique among the parent's living children
    Digest identity{};       // what the kernel measured: name and program, of this agent and all above it (AgentInfo)
    Digest program{};        // root over the program's pages, measured as well
    Digest record{};         // of the record that identityd keeps, and that the kernel has by AgentRegister
    std::vector<std::string> offers; // what it may offer: see offers.hpp
};

} // namespace aios::security
