// An end of a Stream (kernel/ipc/stream_end.hpp) as an open file: of a pipe, or one that the program was started with.
// Writing without a reader is SIGPIPE and EPIPE.
#pragma once

#include "kernel/ipc/stream_end.hpp"
#include "personality/linux/open_file.hpp"

namespace aios::linux_abi {

// `authority`: the capability that the end comes from; none for an end of a pipe. quota_exceeded, out_of_memory.
[[nodiscard]] Result<Ref<OpenFile>> open_stream_end(Payer& payer, Ref<ipc::StreamEnd> end,
                                                    Ref<cap::DerivationNode> authority, std::uint64_t inode);

} // namespace aios::linux_abi
