// LineDiscipline: what is typed becomes lines, signals and echo, as Linux's n_tty does it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "personality/linux/line_discipline.hpp"

namespace aios::linux_abi {
namespace {

Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

struct Line {
    std::vector<std::uint8_t> rings = std::vector<std::uint8_t>(2 * LineDiscipline::kBytes);
    LineDiscipline discipline{LineDiscipline::Ring(rings.data(), LineDiscipline::kBytes),
                              LineDiscipline::Ring(rings.data() + LineDiscipline::kBytes, LineDiscipline::kBytes)};

    LineDiscipline::Received type(std::string_view text) { return discipline.receive(bytes_of(text)); }
    std::string read(std::size_t most = 8192) {
        std::string text(most, '\0');
        text.resize(discipline.read(std::as_writable_bytes(std::span(text))));
        return text;
    }
    std::string screen() {
        std::string text(8192, '\0');
        text.resize(discipline.take_output(std::as_writable_bytes(std::span(text))));
        return text;
    }
    template <typename F>
    void change(F&& with) {
        TerminalSettings settings = discipline.settings();
        with(settings);
        discipline.set(settings);
    }
    void set_local(std::uint32_t set, std::uint32_t cleared) {
        change([&](TerminalSettings& settings) { settings.local = (settings.local | set) & ~cleared; });
    }
};

TEST(LineDiscipline, ALineIsReadWhenItEnds) {
    Line line;
    line.type("abc");
    EXPECT_FALSE(line.discipline.has_input());
    line.type("d\r");
    EXPECT_TRUE(line.discipline.is_readable());
    EXPECT_EQ(line.discipline.input_waiting(), 5u);
    EXPECT_EQ(line.read(2), "ab");
    EXPECT_EQ(line.read(), "cd\n");
    EXPECT_EQ(line.screen(), "abcd\r\n");
}

TEST(LineDiscipline, EndOfFile) {
    Line line;
    line.type("\004ab\004\004");
    EXPECT_EQ(line.read(), "");
    EXPECT_EQ(line.discipline.input_waiting(), 2u);
    EXPECT_EQ(line.read(2), "ab"); // and its end, though there was no room
    EXPECT_TRUE(line.discipline.has_input());
    EXPECT_EQ(line.read(), "");
    EXPECT_FALSE(line.discipline.has_input());
}

TEST(LineDiscipline, Erasing) {
    Line line;
    line.type("a\177\177b\n");
    EXPECT_EQ(line.read(), "b\n");
    EXPECT_EQ(line.screen(), "a\b \bb\r\n");
    line.type("x\001\177\177\n");
    EXPECT_EQ(line.screen(), "x^A\b \b\b \b\b \b\r\n");
    EXPECT_EQ(line.read(), "\n");
    line.type("one  two..\027\n");
    EXPECT_EQ(line.read(), "one  \n");
    line.screen();
    line.type("kill\025\n");
    EXPECT_EQ(line.screen(), "kill\b \b\b \b\b \b\b \b\r\n");
    line.set_local(0, kLocalEchoKillErase);
    line.read();
    line.type("kill\025\n");
    EXPECT_EQ(line.screen(), "kill^U\r\n\r\n");
    EXPECT_EQ(line.read(), "\n");
}

TEST(LineDiscipline, ErasingTabs) {
    Line line;
    ASSERT_EQ(line.discipline.write(bytes_of("$ ")), 2u);
    line.screen();
    line.type("ab\t\177");
    EXPECT_EQ(line.screen(), "ab\t\b\b\b\b");
    line.type("\t\t\177");
    EXPECT_EQ(line.screen(), "\t\t\b\b\b\b\b\b\b\b");
}

TEST(LineDiscipline, CharactersOfManyBytes) {
    Line line;
    line.change([](TerminalSettings& settings) { settings.input |= kInputUtf8; });
    line.type("a\xc3\xa4\177\n");
    EXPECT_EQ(line.read(), "a\n");
    EXPECT_EQ(line.screen(), "a\xc3\xa4\b \b\r\n");
    line.type("\xa4\xa4\177\n"); // the rest of one that never began stays
    EXPECT_EQ(line.read(), "\xa4\xa4\n");
}

TEST(LineDiscipline, Signals) {
    Line line;
    const auto received = line.type("ab\003cd");
    EXPECT_EQ(received.taken, 3u);
    EXPECT_EQ(received.signal, LineDiscipline::Signal::interrupt);
    EXPECT_TRUE(received.has_flushed);
    EXPECT_EQ(line.screen(), "^C");
    line.type("\n");
    EXPECT_EQ(line.read(), "\n");
    EXPECT_EQ(line.type("\034").signal, LineDiscipline::Signal::quit);
    line.set_local(kLocalNoFlush, 0);
    line.screen();
    const auto kept = line.type("x\032");
    EXPECT_EQ(kept.signal, LineDiscipline::Signal::suspend);
    EXPECT_FALSE(kept.has_flushed);
    line.type("\n");
    EXPECT_EQ(line.read(), "x\n");
    line.set_local(0, kLocalSignals);
    line.type("\003\n");
    EXPECT_EQ(line.read(), "\003\n");
    line.type("\026\177\n"); // LNEXT
    EXPECT_EQ(line.read(), "\177\n");
}

TEST(LineDiscipline, NulIsNoSpecialCharacter) {
    Line line; // EOL is NUL, which means that there is none
    line.type(std::string_view("a\0b\n", 4));
    EXPECT_EQ(line.read(), std::string("a\0b\n", 4));
}

TEST(LineDiscipline, EchoAndReprint) {
    Line line;
    line.set_local(0, kLocalEcho);
    line.type("dark\n");
    EXPECT_EQ(line.screen(), "");
    line.set_local(kLocalEchoNewline, 0);
    line.type("dark\n");
    EXPECT_EQ(line.screen(), "\r\n");
    line.set_local(kLocalEcho, kLocalEchoControl);
    line.type("\001");
    EXPECT_EQ(line.screen(), "\001");
    line.set_local(kLocalEchoControl, 0);
    line.type("b\022");
    EXPECT_EQ(line.screen(), "b^R\r\n^Ab");
}

TEST(LineDiscipline, InputFlags) {
    Line line;
    line.change([](TerminalSettings& settings) { settings.input = kInputIgnoreReturn | kInputStrip; });
    line.type("a\r\xe2\n");
    EXPECT_EQ(line.read(), "ab\n");
    line.change([](TerminalSettings& settings) {
        settings.input = kInputNewlineToReturn;
        settings.characters[kPlaceEndOfLine] = ';';
    });
    line.type("a\nb;");
    EXPECT_EQ(line.read(), "a\rb;");
    line.change([](TerminalSettings& settings) {
        settings.input = kInputMarkParity;
        settings.local &= ~kLocalCanonical;
    });
    line.type("\xff");
    EXPECT_EQ(line.read(), "\xff\xff");
}

TEST(LineDiscipline, Flow) {
    Line line;
    line.type("\023");
    EXPECT_TRUE(line.discipline.is_stopped());
    EXPECT_FALSE(line.discipline.takes_output());
    line.type("x\021");
    EXPECT_TRUE(line.discipline.takes_output());
    line.type("\023");
    line.change([](TerminalSettings& settings) { settings.input |= kInputAnyStarts; });
    line.type("x");
    EXPECT_FALSE(line.discipline.is_stopped());
    line.type("\023");
    line.change([](TerminalSettings& settings) { settings.input &= ~kInputFlow; });
    EXPECT_FALSE(line.discipline.is_stopped());
}

TEST(LineDiscipline, Output) {
    Line line;
    EXPECT_EQ(line.discipline.write(bytes_of("a\tb\nc\rd")), 7u);
    EXPECT_EQ(line.screen(), "a\tb\r\nc\rd");
    line.change([](TerminalSettings& settings) {
        settings.output = kOutputProcess | kOutputSpaces | kOutputToUpper | kOutputReturnToNewline;
    });
    line.discipline.write(bytes_of("\ra\tb"));
    EXPECT_EQ(line.screen().substr(0, 2), "\nA");
    line.change([](TerminalSettings& settings) { settings.output = 0; });
    line.discipline.write(bytes_of("a\n"));
    EXPECT_EQ(line.screen(), "a\n");
}

TEST(LineDiscipline, RawMode) {
    Line line;
    line.type("half");
    line.set_local(0, kLocalCanonical | kLocalSignals | kLocalEcho);
    EXPECT_EQ(line.read(), "half");
    line.change([](TerminalSettings& settings) { settings.characters[kPlaceMinimum] = 3; });
    line.type("ab");
    EXPECT_TRUE(line.discipline.has_input());
    EXPECT_FALSE(line.discipline.is_readable());
    line.type("\003");
    EXPECT_TRUE(line.discipline.is_readable());
    line.set_local(kLocalCanonical, 0); // what waits is a line
    EXPECT_EQ(line.read(), "ab\003");
}

TEST(LineDiscipline, ALineThatNeverEnds) {
    Line line;
    const std::string much(10'000, 'x');
    EXPECT_EQ(line.type(much).taken, much.size());
    EXPECT_TRUE(line.discipline.takes_input());
    line.type("\n");
    EXPECT_FALSE(line.discipline.takes_input()); // until the line is read
    EXPECT_EQ(line.type("more").taken, 0u);
    const std::string got = line.read();
    EXPECT_EQ(got.size(), LineDiscipline::kBytes);
    EXPECT_EQ(got.back(), '\n');
    EXPECT_EQ(line.type("more\n").taken, 5u);
}

TEST(LineDiscipline, FullRings) {
    Line line;
    line.set_local(0, kLocalCanonical);
    const std::string much(10'000, 'y');
    EXPECT_EQ(line.type(much).taken, LineDiscipline::kBytes - 1);
    EXPECT_FALSE(line.discipline.takes_input());
    line.discipline.flush_output();
    const std::string newlines(10'000, '\n');
    const std::size_t taken = line.discipline.write(bytes_of(newlines));
    EXPECT_EQ(taken, (LineDiscipline::kBytes - LineDiscipline::kEchoRoom) / 2);
    EXPECT_FALSE(line.discipline.takes_output());
    EXPECT_EQ(line.screen().size(), 2 * taken);
    EXPECT_TRUE(line.discipline.takes_output());
}

} // namespace
} // namespace aios::linux_abi
