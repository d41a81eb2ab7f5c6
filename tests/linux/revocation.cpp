// Memory that is taken away while its holder is at work on it: revocations against mremap, munmap, mprotect, faults and
// copies by the kernel, truncation against mremap. After the taker's call has returned, nobody reads what is written
// then. Two threads, many rounds. The revocations need AIOS.
#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <functional>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <thread>

#include "abi/call_types.hpp"
#include "abi/rights.hpp"
#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

constexpr std::size_t kPage = 4096, kPages = 4;
constexpr std::uint64_t kOld = 0x01d, kSecret = 0x5ec2e7;

// Calls of AIOS itself; their values are handles and addresses, small negative ones errors.
constexpr long kHandleClose = 4100, kHandleDerive = 4101, kHandleRevoke = 4102, kPoolAlloc = 4122, kMemoryMap = 4123;
template <typename... A>
long native(long number, A... arguments) {
    return syscall(number, arguments...);
}
long self_handle() {
    // SAFETY: the personality puts the startup block's address there.
    const auto* block = reinterpret_cast<const aios::StartupBlock*>(getauxval(0x41494f53));
    for (std::uint32_t i = 0; block != nullptr && i < block->count; ++i)
        if (block->entries[i].role == static_cast<std::uint32_t>(aios::StartupRole::self))
            return static_cast<long>(block->entries[i].handle);
    return 0;
}
char* map_object(long handle, std::uint64_t protection) {
    const aios::MapRequest request{0, kPages * kPage, 0, protection};
    const long at = native(kMemoryMap, handle, &request);
    return at < 0 ? nullptr : reinterpret_cast<char*>(at); // SAFETY: just mapped
}

thread_local sigjmp_buf back;
void jump_back(int) { siglongjmp(back, 1); }

// The word at `at`, or nothing if the touch faults.
bool load(const volatile char* at, std::uint64_t& value) {
    if (sigsetjmp(back, 1) != 0) return false;
    value = *reinterpret_cast<const volatile std::uint64_t*>(at); // SAFETY: may fault, which is caught
    return true;
}
// The same by a copy of the kernel.
bool load_by_pipe(int file, const char* at, std::uint64_t& value) {
    return pwrite(file, at, sizeof(value), 0) == sizeof(value) &&
           pread(file, &value, sizeof(value), 0) == sizeof(value);
}

constexpr long kWanted = (aios::rights::map | aios::rights::read | aios::rights::write).bits();

// One holder works on a mapping until it is gone; the other thread revokes it at a random moment, and then writes the
// secret. `work` answers the place of the mapping now, or nullptr when it has noticed the end.
void race(const char* name, unsigned rounds, std::uint64_t protection, const std::function<char*(char*)>& work,
          const std::function<bool(const char*, std::uint64_t&)>& look) {
    const long self = self_handle();
    const long pool = native(kPoolAlloc, self, kPages * kPage);
    CHECK(pool > 0);
    char* const mine = map_object(pool, aios::kProtectRead | aios::kProtectWrite);
    CHECK(mine != nullptr);
    if (mine == nullptr) return;
    auto* const word = reinterpret_cast<volatile std::uint64_t*>(mine); // SAFETY: mapped above
    unsigned leaks = 0;
    std::uint64_t random = 88172645463325252;
    for (unsigned round = 0; round < rounds; ++round) {
        *word = kOld;
        const long derived = native(kHandleDerive, pool, kWanted);
        CHECK(derived > 0);
        char* at = map_object(derived, protection);
        CHECK(at != nullptr);
        if (at == nullptr) return;
        std::atomic<bool> started{false}, revoked{false};
        std::thread holder([&] {
            std::uint64_t value = 0;
            started = true;
            while (!revoked) {
                char* const next = work(at);
                if (next == nullptr) return; // gone while it worked
                at = next;
            }
            // The revocation has returned, and the secret is written.
            if (look(at, value)) leaks += value != kOld;
        });
        while (!started)
            std::this_thread::yield();
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        for (std::uint64_t i = 0; i < random % 20'000; ++i)
            asm volatile("");
        CHECK(native(kHandleRevoke, pool) == 0);
        *word = kSecret;
        revoked = true;
        holder.join();
        native(kHandleClose, derived);
    }
    if (leaks != 0)
        failed(name, __LINE__, std::to_string(leaks) + " of " + std::to_string(rounds) + " read the secret");
    munmap(mine, kPages * kPage);
    native(kHandleClose, pool);
}

bool look_by_touch(const char* at, std::uint64_t& value) { return load(at, value); }

} // namespace

int main() {
    program = "revocation";
    struct sigaction action{};
    action.sa_handler = jump_back;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);

    run("truncate_against_mremap", [] {
        const int file = open("/tmp/cut", O_RDWR | O_CREAT, 0600);
        CHECK(file >= 0);
        unsigned stale = 0;
        for (unsigned round = 0; round < 60; ++round) {
            CHECK(ftruncate(file, kPages * kPage) == 0);
            void* place = mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
            CHECK(place != MAP_FAILED);
            auto* at = static_cast<char*>(place);
            for (std::size_t i = 0; i < kPages; ++i)
                *reinterpret_cast<volatile std::uint64_t*>(at + i * kPage) = kOld; // SAFETY: mapped above
            std::atomic<bool> started{false}, cut{false};
            std::thread holder([&] {
                started = true;
                while (!cut) {
                    // In the way of growing in place, so that it moves.
                    void* block = mmap(at + kPages * kPage, kPage, PROT_NONE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
                    void* moved = mremap(at, kPages * kPage, (kPages + 1) * kPage, MREMAP_MAYMOVE);
                    if (block != MAP_FAILED) munmap(block, kPage);
                    if (moved == MAP_FAILED) continue;
                    at = static_cast<char*>(moved);
                    mremap(at, (kPages + 1) * kPage, kPages * kPage, 0);
                }
                for (std::size_t i = 0; i < kPages; ++i) {
                    std::uint64_t value = 0;
                    if (load(at + i * kPage, value)) stale += value != 0;
                }
            });
            while (!started)
                std::this_thread::yield();
            CHECK(ftruncate(file, 0) == 0 && ftruncate(file, kPages * kPage) == 0);
            cut = true;
            holder.join();
            munmap(at, kPages * kPage);
        }
        if (stale != 0) failed("stale pages", __LINE__, std::to_string(stale));
        close(file);
        unlink("/tmp/cut");
    });
    if (!on_aios()) {
        skip("revoke", "needs AIOS");
        return finish();
    }
    const auto move = [](char* at) -> char* {
        void* block =
            mmap(at + kPages * kPage, kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        void* moved = mremap(at, kPages * kPage, (kPages + 1) * kPage, MREMAP_MAYMOVE);
        if (block != MAP_FAILED) munmap(block, kPage);
        if (moved == MAP_FAILED) return nullptr;
        mremap(moved, (kPages + 1) * kPage, kPages * kPage, 0);
        return static_cast<char*>(moved);
    };
    run("revoke_against_mremap", [&] { race("moved", 150, aios::kProtectRead, move, look_by_touch); });
    run("revoke_against_split", [] {
        race(
            "split", 100, aios::kProtectRead | aios::kProtectWrite,
            [](char* at) -> char* {
                if (mprotect(at + kPage, kPage, PROT_READ) != 0) return nullptr;
                return mprotect(at + kPage, kPage, PROT_READ | PROT_WRITE) == 0 ? at : nullptr;
            },
            look_by_touch);
    });
    run("revoke_against_faults", [] {
        race(
            "faulted", 100, aios::kProtectRead,
            [](char* at) -> char* {
                std::uint64_t value = 0;
                madvise(at, kPages * kPage, MADV_DONTNEED); // the next touch faults
                return load(at, value) ? at : nullptr;
            },
            look_by_touch);
    });
    run("revoke_against_copies", [] {
        const int file = open("/tmp/copies", O_RDWR | O_CREAT, 0600);
        CHECK(file >= 0);
        const auto copy = [file](const char* at, std::uint64_t& value) { return load_by_pipe(file, at, value); };
        race(
            "copied", 100, aios::kProtectRead,
            [&](char* at) -> char* {
                std::uint64_t value = 0;
                return copy(at, value) ? at : nullptr;
            },
            copy);
        close(file);
        unlink("/tmp/copies");
    });
    // What a program may do with a mapping is bound by the handle that it was made through, also later.
    run("protection_stays_below_the_handles_rights", [] {
        const long pool = native(kPoolAlloc, self_handle(), kPages * kPage);
        const long reader = native(kHandleDerive, pool, long{(aios::rights::map | aios::rights::read).bits()});
        char* at = map_object(reader, aios::kProtectRead);
        CHECK(at != nullptr);
        CHECK(raw(SYS_mprotect, at, kPage, PROT_READ | PROT_WRITE) == -EACCES);
        CHECK(raw(SYS_mprotect, at, kPage, PROT_READ | PROT_EXEC) == -EACCES);
        CHECK(raw(SYS_mprotect, at, kPage, PROT_NONE) == 0 && raw(SYS_mprotect, at, kPage, PROT_READ) == 0);
        char* both = map_object(pool, aios::kProtectRead);
        CHECK(raw(SYS_mprotect, both, kPage, PROT_READ | PROT_WRITE) == 0);
        CHECK(raw(SYS_mprotect, both, kPage, PROT_READ | PROT_EXEC) == -EACCES);
        native(kHandleClose, reader);
        std::uint64_t value = 0;
        CHECK(!load(at, value) && load(both, value));
        native(kHandleClose, pool);
        CHECK(!load(both, value));
    });
    return finish();
}
