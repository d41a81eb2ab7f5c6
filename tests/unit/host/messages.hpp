// Messages as the guest would send them, for the tests of the host side.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "messages/view.hpp"
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

template <messages::IsMessage T>
std::string encode_message(const T& message) {
    return encode([&](auto& out) { messages::put(out, message); });
}

inline std::string answer_message(std::uint64_t question, bool answered, std::string_view text,
                                  const std::vector<Passage>& passages = {}) {
    std::vector<messages::view::Passage> quoted;
    for (const Passage& p : passages)
        quoted.push_back({as_bytes(p.file), p.first, p.last, p.score, as_bytes(p.text)});
    return encode_message(messages::view::Answer{.question = question,
                                                 .answered = answered,
                                                 .text = as_bytes(text),
                                                 .agent = "reader-1",
                                                 .passages = std::span(std::as_const(quoted))});
}

inline std::string done_message(bool ok, std::string_view text) {
    return encode_message(messages::view::Done{.ok = ok, .text = text});
}

inline std::string route_message() {
    return encode_message(messages::owned::Route{.intent = "answer-question",
                                                 .agent = "reader-1",
                                                 .why = "least loaded",
                                                 .candidates = {{"reader-1", 0.9}, {"reader-2", 0.5}}});
}

inline std::string progress_message(std::string_view text, std::uint64_t done, std::uint64_t total) {
    return encode_message(messages::view::Progress{.text = text, .done = done, .total = total});
}

// Of an agent that is dead. What is not named is the field's number times 1,000.
inline std::string account_body(std::uint64_t id, std::string_view name, EndReason reason = EndReason::exited,
                                std::uint64_t status = 4000) {
    messages::view::Account account;
    std::uint64_t number = 0;
    static_cast<void>(messages::view::visit_fields(account, [&](const auto&, auto& field) -> Result<> {
        if constexpr (std::same_as<std::remove_cvref_t<decltype(field)>, std::uint64_t>) field = number++ * 1000;
        return {};
    })); // nothing in it fails
    account.id = id;
    account.state = static_cast<std::uint64_t>(AgentState::dead);
    account.end_reason = static_cast<std::uint64_t>(reason);
    account.end_status = status;
    account.identity.fill(std::byte{0x11});
    account.name = name;
    return encode_message(account);
}

inline std::string boot_body() {
    return encode_message(messages::view::BootFacts{.entry_tsc = 1000,
                                                    .tsc_khz = 1'000'000,
                                                    .first_user_tsc = 51'000'000,
                                                    .processors = 2,
                                                    .path = 1,
                                                    .memory_bytes = 512 << 20,
                                                    .seed_fixed = false,
                                                    .label = "unsigned development boot"});
}

inline std::string head_body(std::uint64_t records, const Hash& root) {
    return encode_message(messages::view::AuditHead{.records = records, .root = root});
}

inline std::string records_body(const std::vector<std::string>& records) {
    return encode([&](auto& out) {
        out.array(records.size());
        for (const std::string& record : records)
            out.bytes(as_bytes(record));
    });
}

inline std::string checks_body() {
    return encode([&](auto& out) {
        messages::put(out, std::vector<CheckCount>{{.type = 4, .right = 3, .granted = 10, .refused = 1}});
    });
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
