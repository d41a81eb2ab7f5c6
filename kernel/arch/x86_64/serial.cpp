// See serial.hpp.
#include "kernel/arch/x86_64/serial.hpp"

#include <cstdint>

#include "kernel/arch/x86_64/cpu.hpp"

namespace aios::arch::x86 {
namespace {

constexpr std::uint16_t kBase = 0x3f8;
enum Register : std::uint16_t {
    data = 0,             // divisor low byte while the latch is open
    interrupt_enable = 1, // divisor high byte while the latch is open
    fifo_control = 2,
    line_control = 3,
    modem_control = 4,
    line_status = 5,
    scratch = 7,
};
constexpr std::uint8_t kTransmitEmpty = 0x20;
constexpr unsigned kMaxPolls = 100'000; // a line that never drains costs text, not the system

bool present = false;

void put(Register reg, std::uint8_t value) { out8(kBase + reg, value); }

void put_byte(char byte) {
    for (unsigned polls = 0; polls < kMaxPolls; ++polls) {
        if ((in8(kBase + line_status) & kTransmitEmpty) != 0) {
            put(data, static_cast<std::uint8_t>(byte));
            return;
        }
    }
    present = false;
}

} // namespace

void serial_init() {
    put(scratch, 0x5a);
    if (in8(kBase + scratch) != 0x5a) return; // no UART there
    put(interrupt_enable, 0);
    put(line_control, 0x80); // latch open
    put(data, 1);            // 115200 baud
    put(interrupt_enable, 0);
    put(line_control, 0x03); // 8 bits, no parity, one stop bit
    put(fifo_control, 0x07); // FIFOs on and cleared
    put(modem_control, 0x03);
    present = true;
}

void serial_write(std::string_view text) {
    for (const char c : text) {
        if (!present) return;
        if (c == '\n') put_byte('\r');
        put_byte(c);
    }
}

} // namespace aios::arch::x86
