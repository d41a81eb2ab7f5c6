// The argument column of coverage.def against reality: of every call that has flags, each bit that the table does not
// name is refused as the table says before anything else is looked at (on AIOS: Linux may answer more), and each bit
// that it names is not. Narrow arguments are the low half of their register.
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <vector>

#include "personality/linux/abi.hpp"
#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

alignas(4096) char zeros[7 * 4096]; // more than the largest size below
char no_such_path[] = "/no/such/name";

// A harmless value of each type: paths that lead nowhere, descriptors that are not open, addresses of zeros.
struct Sample {
    long value = 0;
    bool is_flags = false;
    std::uint64_t answered = 0;
    int bits = 32;
    long refused = EINVAL;
};

template <typename T>
struct SampleOf {
    static Sample of(int index) {
        if constexpr (sizeof(T) < 8) return {};
        return {.value = 4096 * (index + 1)};
    }
};

// The table's own types, of which only the kind matters here.
namespace table {
using namespace aios::linux_abi;
using std::int32_t, std::int64_t, std::uint32_t, std::uint64_t;
struct Descriptor {};
struct SignalSetBytes {};
template <typename T>
struct UserIn {};
template <typename T>
struct UserOut {};
template <typename T>
struct UserInOut {};
template <std::uint64_t answered, Errno otherwise = kInvalid, typename Word = std::uint32_t>
struct Flags {};
template <std::uint64_t answered>
using WideFlags = Flags<answered, kInvalid, std::uint64_t>;
} // namespace table

template <>
struct SampleOf<table::Descriptor> {
    static Sample of(int index) { return {.value = 4000 + index}; }
};
template <>
struct SampleOf<table::SignalSetBytes> {
    static Sample of(int) { return {.value = 8}; }
};
template <>
struct SampleOf<table::UserIn<char>> {
    static Sample of(int) { return {.value = word(no_such_path)}; }
};
template <template <typename> typename Pointer, typename T>
struct SampleOf<Pointer<T>> {
    static Sample of(int) { return {.value = word(zeros)}; }
};
template <std::uint64_t answered, aios::linux_abi::Errno otherwise, typename Word>
struct SampleOf<table::Flags<answered, otherwise, Word>> {
    static Sample of(int) {
        return {.is_flags = true, .answered = answered, .bits = sizeof(Word) * 8, .refused = otherwise};
    }
};

template <typename Signature>
struct Samples;
template <typename... A>
struct Samples<void(A...)> {
    static std::vector<Sample> make() {
        int index = 0;
        return {SampleOf<A>::of(index++)...};
    }
};

struct Row {
    int number;
    const char* name;
    std::vector<Sample> samples;
};

std::vector<Row> rows() {
    using namespace table;
    return {
#define LINUX_CALL(number, name, tier, restart, answered, arguments) {number, #name, Samples<void arguments>::make()},
#include "personality/linux/coverage.def"
#undef LINUX_CALL
    };
}

long call_with(const Row& row, std::size_t flags_index, std::uint64_t flags) {
    std::array<long, 6> a{};
    for (std::size_t i = 0; i < row.samples.size(); ++i)
        a[i] = i == flags_index ? static_cast<long>(flags) : row.samples[i].value;
    if (row.number == SYS_pidfd_open) a[0] = getpid(); // no process has the number 0
    if (row.number == SYS_mremap) {                    // nothing is mapped there, and the sizes are the same
        a[0] = 0x10000;
        a[1] = a[2] = 4096;
        a[4] = 0x20000;
    }
    return raw(row.number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void try_flags(const Row& row, std::size_t index) {
    const Sample& flags = row.samples[index];
    std::uint64_t always = row.number == SYS_waitid ? 4 : 0; // it has to be asked for something: WEXITED
    if (row.number == SYS_mremap) always = 1;                // MREMAP_MAYMOVE goes with the others
    for (int bit = 0; bit < flags.bits; ++bit) {
        const std::uint64_t mask = 1ull << bit;
        const bool answered = (flags.answered & mask) != 0;
        if (!answered && !on_aios()) continue;
        const long result = call_with(row, index, mask | always);
        if ((result == -flags.refused) == answered)
            failed(answered ? "answers flag" : "refuses flag", __LINE__,
                   std::to_string(bit) + ": " + error_name(result));
    }
}

} // namespace

int main() {
    program = "arguments";
    std::size_t with_flags = 0;
    for (const Row& row : rows()) {
        for (std::size_t i = 0; i < row.samples.size(); ++i) {
            if (!row.samples[i].is_flags) continue;
            ++with_flags;
            run((std::string("flags_of_") + row.name).c_str(), [&] { try_flags(row, i); });
        }
    }
    run("calls_with_flags_are_found", [&] { CHECK(with_flags >= 13); });

    constexpr long kUpper = 0x5a5a'5a5a'0000'0000;
    run("descriptors_are_32_bits", [] {
        CHECK(raw(SYS_fcntl, kUpper | 1, 1 /* F_GETFD */, 0) >= 0);
        CHECK(raw(SYS_fcntl, 1, kUpper | 1, 0) >= 0);
        expect(raw(SYS_close, kUpper | 4000), -EBADF, "closed", __LINE__);
    });
    run("signals_and_ids_are_32_bits", [] {
        CHECK(raw(SYS_kill, kUpper | getpid(), kUpper) == 0);
        CHECK(raw(SYS_umask, kUpper | 022) >= 0);
    });
    run("an_empty_path_names_the_descriptor", [] {
        char name[] = "/tmp/arguments-XXXXXX";
        const int fd = mkstemp(name);
        CHECK(fd >= 0);
        const timespec times[2] = {{1, 0}, {77, 0}};
        expect(raw(SYS_utimensat, fd, word(""), word(times), AT_EMPTY_PATH), 0, "utimensat", __LINE__);
        struct stat info{};
        CHECK(fstat(fd, &info) == 0 && info.st_mtim.tv_sec == 77);
        expect(raw(SYS_faccessat2, fd, word(""), R_OK | W_OK, AT_EMPTY_PATH), 0, "faccessat2", __LINE__);
        expect(raw(SYS_faccessat2, STDOUT_FILENO, word(""), W_OK, AT_EMPTY_PATH), 0, "faccessat2 of the output",
               __LINE__);
        expect(raw(SYS_faccessat2, AT_FDCWD, word(""), R_OK, AT_EMPTY_PATH), 0, "faccessat2 here", __LINE__);
        expect(raw(SYS_faccessat2, 4000, word(""), R_OK, AT_EMPTY_PATH), -EBADF, "faccessat2", __LINE__);
        expect(raw(SYS_faccessat2, fd, word(""), R_OK, 0), -ENOENT, "without the flag", __LINE__);
        close(fd);
        unlink(name);
    });
    run("int_flags_are_32_bits", [] {
        expect(raw(SYS_unlinkat, AT_FDCWD, word(no_such_path), kUpper), -ENOENT, "flags", __LINE__);
        expect(raw(SYS_close_range, 5000, 6000, kUpper), 0, "flags", __LINE__);
    });
    return finish();
}
