// Messages as the guest would send them, for the tests of the host side.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "tools/aios/record/record.hpp"

namespace aios::host {

inline std::string encode(const std::function<void(cbor::Encoder&)>& write) {
    std::string out(256 << 10, '\0');
    cbor::Encoder encoder(std::as_writable_bytes(std::span(out)));
    write(encoder);
    const auto done = encoder.finish();
    out.resize(done ? done->size() : 0);
    return out;
}

inline std::string cbor_bytes(std::string_view bytes) {
    return encode([&](auto& out) { out.bytes(as_bytes(bytes)); });
}
inline std::string cbor_text(std::string_view text) {
    return encode([&](auto& out) { out.text(text); });
}

inline std::string answer_message(std::uint64_t question, bool answered, std::string_view text,
                                  const std::vector<Passage>& passages = {}) {
    return encode([&](auto& out) {
        out.map(6).key(0).text("answer").key(1).uint(question).key(2).boolean(answered);
        out.key(3).bytes(as_bytes(text)).key(4).text("reader-1").key(5).array(passages.size());
        for (const Passage& p : passages)
            out.array(5).bytes(as_bytes(p.file)).uint(p.first).uint(p.last).float64(p.score).bytes(as_bytes(p.text));
    });
}

inline std::string done_message(bool ok, std::string_view text) {
    return encode([&](auto& out) { out.map(3).key(0).text("done").key(1).boolean(ok).key(2).text(text); });
}

inline std::string route_message() {
    return encode([&](auto& out) {
        out.map(5)
            .key(0)
            .text("route")
            .key(1)
            .text("answer-question")
            .key(2)
            .text("reader-1")
            .key(3)
            .text("least loaded");
        out.key(4).array(2).array(2).text("reader-1").float64(0.9).array(2).text("reader-2").float64(0.5);
    });
}

inline std::string progress_message(std::string_view text, std::uint64_t done, std::uint64_t total) {
    return encode(
        [&](auto& out) { out.map(4).key(0).text("progress").key(1).text(text).key(2).uint(done).key(3).uint(total); });
}

// Of an agent that is dead.
inline std::string account_body(std::uint64_t id, std::string_view name, EndReason reason = EndReason::exited,
                                std::uint64_t status = 4000) {
    return encode([&](auto& out) {
        out.map(19);
        for (std::uint64_t key = 0; key < 17; ++key)
            out.key(key).uint(key == 0   ? id
                              : key == 2 ? 6
                              : key == 3 ? static_cast<std::uint64_t>(reason)
                              : key == 4 ? status
                                         : key * 1000);
        const std::string identity(32, '\x11');
        out.key(17).bytes(as_bytes(identity)).key(18).text(name);
    });
}

inline std::string boot_body() {
    return encode([&](auto& out) {
        out.map(8).key(0).uint(1000).key(1).uint(1'000'000).key(2).uint(51'000'000).key(3).uint(2).key(4).uint(1);
        out.key(5).uint(512 << 20).key(6).boolean(false).key(7).text("unsigned development boot");
    });
}

inline std::string head_body(std::uint64_t records, const Hash& root) {
    return encode([&](auto& out) { out.map(2).key(0).uint(records).key(1).bytes(root); });
}

inline std::string records_body(const std::vector<std::string>& records) {
    return encode([&](auto& out) {
        out.array(records.size());
        for (const std::string& record : records)
            out.bytes(as_bytes(record));
    });
}

inline std::string checks_body() {
    return encode([&](auto& out) { out.array(1).array(4).uint(4).uint(3).uint(10).uint(1); });
}

// A frame of kind 2 around a message.
inline std::string job_frame(std::string_view message) {
    const std::string body = cbor_bytes(message);
    return encode_frame(FrameKind::job_output, 5, "desk", as_bytes(body));
}

inline std::string frame(FrameKind kind, const std::string& body) {
    return encode_frame(kind, 0, "kernel", as_bytes(body));
}

} // namespace aios::host
