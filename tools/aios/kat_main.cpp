// `aios kat [--backend portable|avx2]`, a program of its own because it alone needs all of crypto/. Answers tests of
// standard input line by line, so that a partner on the other end of two pipes may wait for each answer before it sends
// the next line.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <format>
#include <optional>
#include <span>
#include <vector>

#include <unistd.h>

#include "crypto/backend.hpp"
#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/kat/row.hpp"
#include "tools/aios/kat/session.hpp"

namespace aios::host {

namespace {

Outcome<> choose_backend(std::span<const std::string_view> arguments) {
    using enum crypto::Backend;
    CommandLine line("kat");
    std::optional<crypto::Backend> backend;
    line.choice("--backend", backend, {{"portable", portable}, {"avx2", avx2}});
    HOST_TRY(line.parse_options(arguments));
    if (backend && !crypto::use_backend(*backend))
        return failure(Exit::host_missing,
                       std::format("this machine cannot run the backend {}.", *backend == avx2 ? "avx2" : "portable"));
    return {};
}

Outcome<> write_out(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        return failure(Exit::host_missing, "standard output could not be written.");
    return {};
}

Outcome<Exit> answer(std::span<const std::string_view> arguments) {
    HOST_TRY(choose_backend(arguments));
    constexpr std::size_t kPiece = 1 << 16;
    kat::Session session;
    std::string piece(kPiece, '\0');
    while (stop_signal() == 0) {
        const ssize_t got = read(STDIN_FILENO, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return failure(Exit::bad_input, std::format("standard input could not be read: {}.", std::strerror(errno)));
        if (got == 0) break;
        Outcome<> written;
        session.feed(std::string_view(piece).substr(0, static_cast<std::size_t>(got)), [&](std::string_view answer) {
            if (written && stop_signal() == 0) written = write_out(answer);
        });
        HOST_TRY(written);
    }
    if (stop_signal() != 0) return Exit::failed_inside; // main ends the program by the signal
    Outcome<> written;
    session.finish([&](std::string_view answer) { written = write_out(answer); });
    HOST_TRY(written);
    return Exit::well;
}

} // namespace
} // namespace aios::host

int main(int count, char** values) {
    using namespace aios::host;
    catch_stop_signals();
    const std::vector<std::string_view> arguments(values + 1, values + count);
    const Outcome<Exit> outcome = answer(arguments);
    if (const int signal = stop_signal(); signal != 0) end_by_signal(signal);
    if (outcome) return static_cast<int>(*outcome);
    std::fprintf(stderr, "aios: %s\n", outcome.error().sentence.c_str());
    return static_cast<int>(outcome.error().exit);
}
