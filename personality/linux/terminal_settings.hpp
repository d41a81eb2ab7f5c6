// What a terminal is told by its settings (struct termios of the Linux kernel's ABI, termios(3)) and by its ioctl requests.
// Nothing here runs.
#pragma once

#include <cstdint>

namespace aios::linux_abi {

inline constexpr std::size_t kTerminalCharacters = 19;
struct TerminalSettings { // struct termios
    std::uint32_t input, output, control, local;
    std::uint8_t line, characters[kTerminalCharacters];
};
static_assert(sizeof(TerminalSettings) == 36);
struct TerminalSettings2 { // struct termios2: with speeds, which mean nothing to a pseudo-terminal and are kept
    TerminalSettings base;
    std::uint32_t input_speed, output_speed;
};
static_assert(sizeof(TerminalSettings2) == 44);
struct WindowSize { // struct winsize
    std::uint16_t rows, columns, width, height;
    friend bool operator==(const WindowSize&, const WindowSize&) = default;
};

// c_iflag: what becomes of what is typed.
inline constexpr std::uint32_t kInputMarkParity = 0000010, kInputStrip = 0000040, kInputNewlineToReturn = 0000100,
                               kInputIgnoreReturn = 0000200, kInputReturnToNewline = 0000400, kInputToLower = 0001000,
                               kInputFlow = 0002000, kInputAnyStarts = 0004000, kInputUtf8 = 0040000;
// c_oflag: what becomes of what programs write.
inline constexpr std::uint32_t kOutputProcess = 0000001, kOutputToUpper = 0000002, kOutputNewlineToBoth = 0000004,
                               kOutputReturnToNewline = 0000010, kOutputNoReturnAtStart = 0000020,
                               kOutputNewlineReturns = 0000040, kOutputTabs = 0014000, kOutputSpaces = 0014000;
// c_lflag.
inline constexpr std::uint32_t kLocalSignals = 0000001, kLocalCanonical = 0000002, kLocalEcho = 0000010,
                               kLocalEchoErase = 0000020, kLocalEchoKill = 0000040, kLocalEchoNewline = 0000100,
                               kLocalNoFlush = 0000200, kLocalOutputStops = 0000400, kLocalEchoControl = 0001000,
                               kLocalEchoKillErase = 0004000, kLocalExtended = 0100000;
// c_cc, by place.
inline constexpr unsigned kPlaceInterrupt = 0, kPlaceQuit = 1, kPlaceErase = 2, kPlaceKill = 3, kPlaceEndOfFile = 4,
                          kPlaceTime = 5, kPlaceMinimum = 6, kPlaceStart = 8, kPlaceStop = 9, kPlaceSuspend = 10,
                          kPlaceEndOfLine = 11, kPlaceReprint = 12, kPlaceEraseWord = 14, kPlaceNext = 15,
                          kPlaceEndOfLine2 = 16;

// As a new terminal has them: ICRNL IXON, OPOST ONLCR, B38400 CS8 CREAD, and a line that is edited and echoed.
inline constexpr std::uint32_t kSpeed38400 = 15;
inline constexpr TerminalSettings kNewTerminal = {
    kInputReturnToNewline | kInputFlow,
    kOutputProcess | kOutputNewlineToBoth,
    kSpeed38400 | 060 | 0200,
    kLocalSignals | kLocalCanonical | kLocalEcho | kLocalEchoErase | kLocalEchoKill | kLocalEchoControl |
        kLocalEchoKillErase | kLocalExtended,
    0,
    {3, 034, 0177, 025, 4, 0, 1, 0, 021, 023, 032, 0, 022, 017, 027, 026, 0, 0, 0},
};

// ioctl requests: TCGETS and so on, in the order of asm-generic/ioctls.h.
inline constexpr std::uint32_t kTerminalGet = 0x5401, kTerminalSet = 0x5402, kTerminalSetDrained = 0x5403,
                               kTerminalSetFlushed = 0x5404, kTerminalBreak = 0x5409, kTerminalFlow = 0x540a,
                               kTerminalFlush = 0x540b, kTerminalExclude = 0x540c, kTerminalInclude = 0x540d,
                               kTerminalTake = 0x540e, kTerminalGetGroup = 0x540f, kTerminalSetGroup = 0x5410,
                               kTerminalOutputWaiting = 0x5411, kTerminalGetWindow = 0x5413,
                               kTerminalSetWindow = 0x5414, kTerminalInputWaiting = 0x541b, kTerminalPackets = 0x5420,
                               kTerminalGiveUp = 0x5422, kTerminalSetLine = 0x5423, kTerminalGetLine = 0x5424,
                               kTerminalBreakPosix = 0x5425, kTerminalGetSession = 0x5429;
inline constexpr std::uint32_t kTerminalGet2 = 0x802c'542a, kTerminalSet2 = 0x402c'542b,
                               kTerminalSetDrained2 = 0x402c'542c, kTerminalSetFlushed2 = 0x402c'542d,
                               kTerminalGetNumber = 0x8004'5430, kTerminalSetLock = 0x4004'5431,
                               kTerminalGetDevice = 0x8004'5432, kTerminalSignal = 0x4004'5436,
                               kTerminalGetPackets = 0x8004'5438, kTerminalGetLock = 0x8004'5439,
                               kTerminalGetExclusion = 0x8004'5440, kTerminalOpenPeer = 0x5441;
// What the first byte of a packet says (TIOCPKT).
inline constexpr std::uint8_t kPacketData = 0, kPacketFlushedInput = 1, kPacketFlushedOutput = 2, kPacketStopped = 4,
                              kPacketStarted = 8;

} // namespace aios::linux_abi
