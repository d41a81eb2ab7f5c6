// System descriptions: from the text that people write (etc/*.units in a bundle) to the CBOR that initd and
// agentsupervisor read (system-description in abi/messages.cddl). Errors name the file and the line.
//
//   strategy = one_for_one | one_for_all | rest_for_one     intensity = 3     period_ms = 10000     region_bytes =
//   $REGION_BYTES [unit] program = bin/unit        arguments = a b         needs = other units grant = role right...
//   (one line a grant)      memory = 16M   handles = 256   threads = 4   agents = 0   weight = 100 personality = linux
//   | native   restart = never | on_failure | always   ready = message | start   essential = yes | no
//
// '#' starts a comment. $NAME stands for a variable of the run. Numbers may end in K, M or G (binary).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tools/aios/bundle.hpp"
#include "tools/aios/options.hpp"
#include "tools/aios/outcome.hpp"

namespace aios::host {

using Variables = std::map<std::string, std::uint64_t, std::less<>>;

// The encoded description. `file` is for sentences.
[[nodiscard]] Outcome<std::string> compile_description(std::string_view file, std::string_view text,
                                                       const Variables& variables, const Crashes& crashes = {});

// Replaces each entry etc/NAME.units of the bundle by etc/NAME.cbor. A unit of `crashes` gets the argument
// --crash-after=N; a name that no unit has is wrong use.
[[nodiscard]] Outcome<> compile_descriptions(Bundle& boot, const Variables& variables, const Crashes& crashes = {});

// What the descriptions of a run are sized by.
[[nodiscard]] Variables run_variables(std::uint64_t document_count, std::uint64_t document_bytes);

} // namespace aios::host
