// What a boot says, cut into lines: those of the serial port and those of each console apart. The frames between them go
// into a record of the run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tools/aios/host/process.hpp"
#include "tools/aios/record/frames.hpp"
#include "tools/aios/record/record.hpp"

namespace aios::host {

class BootLines {
public:
    explicit BootLines(std::function<void(std::string_view)> take) : take_(take), serial_(std::move(take)) {}
    BootLines(const BootLines&) = delete;

    void serial(std::string_view text) { serial_.feed(text); }
    // False once a frame was broken: broken() says how.
    [[nodiscard]] bool frames(std::string_view bytes);
    void finish(); // hands over what is left

    [[nodiscard]] const RunRecord& record() const { return record_; }
    [[nodiscard]] const std::string& broken() const { return broken_; }

private:
    const std::function<void(std::string_view)> take_;
    LineCutter serial_;
    std::map<std::uint64_t, LineCutter> consoles_; // by agent
    FrameReader reader_;
    RunRecord record_;
    std::string broken_;
};

} // namespace aios::host
