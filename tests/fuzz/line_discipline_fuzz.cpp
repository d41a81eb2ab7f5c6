// The line discipline under any settings, typing, reading and writing, in any order: what it promises of its rings holds.
#include <algorithm>
#include <span>
#include <vector>

#include "base/assert.hpp"
#include "personality/linux/line_discipline.hpp"

using namespace aios;
using namespace aios::linux_abi;

namespace {

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}
    [[nodiscard]] bool is_over() const { return left_.empty(); }
    std::uint8_t byte() {
        if (left_.empty()) return 0;
        const std::uint8_t value = left_.front();
        left_ = left_.subspan(1);
        return value;
    }
    std::vector<std::byte> bytes(std::size_t most) {
        const std::size_t count = std::min(most, left_.size());
        std::vector<std::byte> taken(count);
        std::ranges::copy(std::as_bytes(left_.first(count)), taken.begin());
        left_ = left_.subspan(count);
        return taken;
    }

private:
    std::span<const std::uint8_t> left_;
};

void check(const LineDiscipline& discipline) {
    AIOS_ASSERT(discipline.output_waiting() <= LineDiscipline::kBytes);
    AIOS_ASSERT(discipline.input_waiting() <= LineDiscipline::kBytes);
    AIOS_ASSERT(!discipline.is_readable() || discipline.has_input());
    AIOS_ASSERT(discipline.has_input() || discipline.takes_input()); // who types is never stuck for good
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    std::vector<std::uint8_t> in(LineDiscipline::kBytes),
        out(LineDiscipline::kBytes); // apart, so that a step too far is found
    LineDiscipline discipline(LineDiscipline::Ring(in.data(), in.size()), LineDiscipline::Ring(out.data(), out.size()));
    std::vector<std::byte> room(LineDiscipline::kBytes);
    while (!input.is_over()) {
        const std::uint8_t step = input.byte();
        const std::size_t count = input.byte();
        switch (step % 8) {
        case 0: {
            TerminalSettings settings = discipline.settings();
            const auto given = input.bytes(sizeof(settings));
            std::ranges::copy(given, std::as_writable_bytes(std::span(&settings, 1)).begin());
            discipline.set(settings);
            break;
        }
        case 1: {
            const auto typed = input.bytes(count);
            AIOS_ASSERT(discipline.receive(typed).taken <= typed.size());
            break;
        }
        case 2: // the same many times, so that rings get full
            for (unsigned i = 0; i < 64; ++i)
                (void)discipline.receive(std::vector<std::byte>(64, std::byte{static_cast<std::uint8_t>(count)}));
            break;
        case 3:
            AIOS_ASSERT(discipline.read(MutableBytes(room).first(count)) <= count);
            break;
        case 4: {
            const auto written = input.bytes(count);
            AIOS_ASSERT(discipline.write(written) <= written.size());
            break;
        }
        case 5:
            AIOS_ASSERT(discipline.take_output(MutableBytes(room).first(count)) <= count);
            break;
        case 6:
            discipline.put_flow_character(kPlaceStop);
            discipline.set_flow(count % 2 == 0 ? LineDiscipline::Flow::stopped : LineDiscipline::Flow::goes_on);
            break;
        default:
            if (count % 2 == 0) discipline.flush_input();
            if (count % 4 < 2) discipline.flush_output();
        }
        check(discipline);
    }
    return 0;
}
