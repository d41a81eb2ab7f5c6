// Packages of Debian as a layer of an image: found, with all that they depend on, and fetched by this machine's apt, in its versions;
// unpacked here. Nothing of the packages is run: not their scripts, and so not update-alternatives, of whose links those are made
// that can be read off the scripts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/image/pack.hpp"

namespace aios::host {

// Packages as the user names them: NAME, NAME:ARCHITECTURE, NAME=VERSION, or "essential", those that every system of Debian has.
// What is fetched stays in `cache`, by apt's rules, until it is no longer the version there is. Sentences for the user go to `notes`.
// wrong_use: no name of a package; bad_input: apt knows none of it; host_missing: no apt-get, or it could not fetch.
[[nodiscard]] Outcome<> lay_debian(std::string_view packages, Packed& into, Spool& spool,
                                   const std::filesystem::path& cache, std::vector<std::string>& notes);

// One link of update-alternatives(1): `link` leads to /etc/alternatives/`name`, and that to `target`.
struct Alternative {
    std::string link, name, target;
    long priority = 0;
    bool operator==(const Alternative&) const = default;
};
// Those that a script installs by words that are written out, with what hangs on them (--slave); `is_all` becomes false if there are
// others.
[[nodiscard]] std::vector<Alternative> read_alternatives(std::string_view script, bool& is_all);

} // namespace aios::host
