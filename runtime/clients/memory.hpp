// memoryd as the writers of its memory see it. Readers need no message: they search the region in place.
#pragma once

#include "runtime/clients/ask.hpp"

namespace aios::clients {

using messages::owned::MemoryState;

// Takes in the documents (document-text) of an array in the first `bytes` of `batch`, a handle on memory.
[[nodiscard]] inline Result<MemoryState> ingest(ipc::Peer& memoryd, Handle batch, std::uint64_t bytes,
                                                std::string* why_not = nullptr) {
    const HandleGrant grant{batch, (rights::read | rights::map).bits(), 0};
    return TRY(ask(memoryd, messages::owned::MemoryIngest{bytes}, {.grants = {grant}, .why_not = why_not})).slots;
}

// Makes what was taken in readable. It lasts as long as there is text; if memoryd dies, the channel closes.
[[nodiscard]] inline Result<MemoryState> seal(ipc::Peer& memoryd, std::string* why_not = nullptr) {
    return TRY(ask(memoryd, messages::owned::MemorySeal{}, {.why_not = why_not})).slots;
}

} // namespace aios::clients
