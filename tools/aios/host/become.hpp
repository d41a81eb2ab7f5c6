// Turning into another program: for commands that are programs of their own.
#pragma once

#include <cerrno>
#include <cstring>
#include <format>
#include <string>
#include <vector>

#include <unistd.h>

#include "tools/aios/host/outcome.hpp"

namespace aios::host {

// Does not return, unless the program cannot be started.
[[nodiscard]] inline Failure become(const std::vector<std::string>& arguments) {
    std::vector<char*> words;
    for (const std::string& argument : arguments)
        words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    ::execv(words.front(), words.data());
    return {Exit::host_missing, std::format("{} cannot be started: {}.", arguments.front(), std::strerror(errno))};
}

} // namespace aios::host
