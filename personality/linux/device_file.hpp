// Open files that lie in no tree: the console, and those whose contents are made when they are read.
#pragma once

#include "personality/linux/open_file.hpp"

namespace aios::linux_abi {

// Names that the personality itself answers. `none`: a name of a tree.
enum class Generated : std::uint8_t { none, self_link, null, zero, random };

[[nodiscard]] Result<Ref<OpenFile>> open_generated(Payer& payer, Generated what); // not `none`
// `console` may be kNoHandle: then every write answers EACCES.
[[nodiscard]] Result<Ref<OpenFile>> open_console(Payer& payer, Handle console);

} // namespace aios::linux_abi
