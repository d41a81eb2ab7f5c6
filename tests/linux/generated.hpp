// What the tests of generated files share.
#pragma once

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "tests/linux/test.hpp"

namespace linux_test {

struct Read {
    std::string text;
    long error = 0; // minus the errno
};

inline Read read_open(int fd) {
    Read out;
    char piece[1000]; // not a divisor of anything
    for (;;) {
        const long got = raw(SYS_read, fd, piece, sizeof(piece));
        if (got <= 0) {
            out.error = got;
            return out;
        }
        out.text.append(piece, static_cast<std::size_t>(got));
    }
}
inline Read read_path(const std::string& path) {
    const long fd = raw(SYS_open, path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {{}, fd};
    Read out = read_open(static_cast<int>(fd));
    close(static_cast<int>(fd));
    return out;
}
inline std::string text_of(const std::string& path) { return read_path(path).text; }

inline std::string link_of(const std::string& path) {
    char text[4096];
    const long got = raw(SYS_readlink, path.c_str(), text, sizeof(text));
    return got < 0 ? "error " + error_name(got) : std::string(text, static_cast<std::size_t>(got));
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What stands behind "Key:" in a file of such lines, without blanks around it.
inline std::string value_of(const std::string& text, const std::string& key) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key + ":")) continue;
        const auto from = line.find_first_not_of(" \t", key.size() + 1);
        if (from == std::string::npos) return {};
        return line.substr(from, line.find_last_not_of(" \t") - from + 1);
    }
    return "no " + key;
}

// The names in a directory, without "." and "..", and their types.
inline std::map<std::string, int> names_in(const std::string& path) {
    std::map<std::string, int> names;
    DIR* const directory = opendir(path.c_str());
    if (directory == nullptr) return names;
    while (const dirent* entry = readdir(directory)) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names[name] = entry->d_type;
    }
    closedir(directory);
    return names;
}

inline std::string own(const std::string& name) { return "/proc/self/" + name; }

// The fields of /proc/PID/stat, of which the second, the name, is without its brackets.
inline std::vector<std::string> stat_fields(const std::string& text) {
    std::vector<std::string> fields;
    const auto open = text.find('('), close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos || open == 0) return fields;
    fields.push_back(text.substr(0, open - 1));
    fields.push_back(text.substr(open + 1, close - open - 1));
    std::istringstream rest(text.substr(close + 1));
    for (std::string field; rest >> field;)
        fields.push_back(field);
    return fields;
}

} // namespace linux_test
