// `./aios run-linux -it`, from a terminal as a person has one: another program stands at its master.
#include <cerrno>
#include <chrono>
#include <csignal>
#include <format>

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/scenario/run_linux.hpp"

namespace aios::scenario {
namespace {

// A person at a terminal with ./aios on it.
class Person {
public:
    Person(const World& world, const Words& words) {
        winsize size{};
        size.ws_row = 33;
        size.ws_col = 99;
        std::vector<std::string> line{(world.root / "aios").native()};
        line.insert(line.end(), words.begin(), words.end());
        std::vector<char*> arguments;
        for (std::string& word : line)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        child_ = ::forkpty(&master_, nullptr, nullptr, &size);
        if (child_ == 0) {
            ::execv(arguments[0], arguments.data());
            ::_exit(99);
        }
        EXPECT(child_ > 0);
        EXPECT(::tcgetattr(master_, &before_) == 0);
    }
    ~Person() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
        if (master_ >= 0) ::close(master_);
    }
    Person(const Person&) = delete;
    Person& operator=(const Person&) = delete;

    void type(std::string_view text) const {
        EXPECT(::write(master_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    // Until this stands on the screen, behind what was waited for before.
    void see(std::string_view text) {
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (true) {
            if (const std::size_t found = screen_.find(text, seen_); found != std::string::npos) {
                seen_ = found + text.size();
                return;
            }
            const bool goes_on = std::chrono::steady_clock::now() < end && look();
            EXPECT_SAYING(goes_on, std::format("'{}' was not seen: {}", text, screen_));
        }
    }
    void resize(unsigned short rows, unsigned short columns) const {
        winsize size{};
        size.ws_row = rows;
        size.ws_col = columns;
        EXPECT(::ioctl(master_, TIOCSWINSZ, &size) == 0);
    }
    // How it ended, as a shell tells it.
    int end() {
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (look())
            EXPECT_SAYING(std::chrono::steady_clock::now() < end, "it does not end: " + screen_);
        int status = 0;
        EXPECT(::waitpid(child_, &status, 0) == child_);
        child_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    [[nodiscard]] bool has_settings_back() const {
        termios now{};
        return ::tcgetattr(master_, &now) == 0 && now.c_lflag == before_.c_lflag && now.c_iflag == before_.c_iflag &&
               now.c_oflag == before_.c_oflag;
    }
    [[nodiscard]] const std::string& screen() const { return screen_; }

private:
    static constexpr std::chrono::seconds kPatience{120};
    // False: nothing more will come.
    bool look() {
        pollfd file{master_, POLLIN, 0};
        if (::poll(&file, 1, 1000) == 0) return true;
        char bytes[4096];
        const ssize_t count = ::read(master_, bytes, sizeof bytes);
        if (count <= 0) return count < 0 && errno == EINTR;
        screen_.append(bytes, static_cast<std::size_t>(count));
        return true;
    }

    pid_t child_ = 0;
    int master_ = -1;
    termios before_{};
    std::string screen_;
    std::size_t seen_ = 0;
};

} // namespace

SCENARIO(a_person_works_at_a_terminal_of_the_program) {
    Person person(world, {"run-linux", "-it", "--timeout", "240", "--with", "tty", "--with", "stty", "--with", "sleep",
                          "--env", "PS1=ready> ", "--", "bash", "--norc", "--noprofile"});
    person.see("ready> ");
    person.type("tty; stty size\r");
    person.see("/dev/pts/0\r\n33 99\r\n");
    person.see("ready> ");
    // Lines are edited, and what is typed is echoed once.
    person.type("echo onx\x7f"
                "e\"\"two\r");
    person.see("\nonetwo\r\n");
    // Ctrl-C is the program's: the one in front is interrupted, the shell goes on. Keys come when it is known to be there.
    constexpr std::string_view kInFront = "bash -c 'echo run\"\"ning; exec sleep 1000'\r";
    person.type(kInFront);
    person.see("\nrunning\r\n");
    person.type("\x03");
    person.see("^C");
    person.type("echo status $?\r");
    person.see("\nstatus 130\r\n");
    // So is Ctrl-Z.
    person.type(kInFront);
    person.see("\nrunning\r\n");
    person.type("\x1a");
    person.see("Stopped");
    person.type("kill -9 %1; while kill -0 %1 2>/dev/null; do sleep 0.1; done; echo go\"\"ne\r");
    person.see("\ngone\r\n");
    // The window's change is told to all that are in front: a shell without job control is there with what it starts.
    person.type("bash -c 'trap \"echo resized; got=1\" WINCH; echo ar\"\"med; until [ \"$got\" ]; do sleep 0.1; done; "
                "stty size'\r");
    person.see("\narmed\r\n");
    person.resize(40, 120);
    person.see("resized\r\n40 120\r\n");
    // Who goes on writing does not keep the run from its end.
    person.type("while :; do echo more; done &\r");
    person.see("\nmore\r\n");
    person.type("exit 7\r");
    EXPECT_SAYING(person.end() == 7, person.screen());
    EXPECT(person.has_settings_back());
}

// Without a terminal here the program has one all the same, and its input ends where ours does.
SCENARIO(a_terminal_is_typed_at_from_a_file) {
    const auto done = run_linux(world, {"-it", "--with", "tty", "--with", "tr"},
                                {"sh", "-c", "tty; tr a-z A-Z; tr a-z A-Z; test -t 1 && exit 5"}, "one\ntwo");
    EXPECT_SAYING(done.status == 5, std::format("status {}: {}{}", done.status, done.out, done.err));
    EXPECT_SAYING(done.out.find("/dev/pts/0\r\n") != std::string::npos &&
                      done.out.find("ONE\r\n") != std::string::npos && done.out.find("TWO") != std::string::npos,
                  done.out);
}

} // namespace aios::scenario
