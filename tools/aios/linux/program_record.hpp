// What a run of `./aios run-linux` tells: the program's output, written on as it comes; its end; the audit log.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/call_types.hpp"
#include "messages/owned.hpp"
#include "tools/aios/linux/changes.hpp"
#include "tools/aios/linux/needs.hpp"
#include "tools/aios/machine/machine.hpp"
#include "tools/aios/record/record.hpp"

namespace aios::host {

class ProgramRecord {
public:
    ProgramRecord(std::string program, std::optional<unsigned> timeout_seconds, std::optional<Changes> changes)
        : program_(std::move(program)), timeout_seconds_(timeout_seconds), changes_(std::move(changes)) {}
    // Refuses a broken frame, and output that cannot be written: then nobody wants more of it.
    [[nodiscard]] Outcome<> take(const Frame& frame);
    // The program's exit status, or why there is none.
    [[nodiscard]] Outcome<Exit> judge(const MachineResult& result);
    [[nodiscard]] std::unexpected<Failure> out_of_time() const;

    // Bytes of input that the program's side has taken.
    [[nodiscard]] std::uint64_t input_taken() const { return input_taken_; }
    [[nodiscard]] const std::vector<std::string>& audit() const { return record_.audit; }
    [[nodiscard]] const std::optional<AuditHead>& head() const { return record_.head; }

private:
    [[nodiscard]] bool was_refused_jit() const;
    [[nodiscard]] Outcome<> take_output(Bytes message);
    [[nodiscard]] Outcome<> write_all(int file, Bytes bytes);

    const std::string program_;
    const std::optional<unsigned> timeout_seconds_;
    const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    RunRecord record_;
    bool drops_output_ = false;
    std::optional<Changes> changes_; // where they go, if anybody wants them
    std::uint64_t input_taken_ = 0;
    std::optional<messages::owned::ProgramEnd> end_;
};

// As a shell tells how a program ended: its status, or 128 and the signal. Faults are the signals that Linux makes of them.
[[nodiscard]] int shell_status(EndReason reason, std::uint64_t status);

} // namespace aios::host
