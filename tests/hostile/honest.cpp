// An honest agent of the crew: works for ever and counts its units on the board. Its first argument is its kind, the
// second its line.
//   spin   computes: as much as its share allows
//   call   asks its own server by ipc_call, and is asked
//   tick   wakes every 2 ms, works a little, and needs less than its share
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

CrewLine* line = nullptr;

void work(unsigned rounds) {
    for (volatile unsigned i = 0; i < rounds; i = i + 1) {
    }
}

// A unit is done, `late` after the one before it or after it was due.
void count(std::uint64_t late) {
    line->units.fetch_add(1, std::memory_order_relaxed);
    if (late > line->worst_gap.load(std::memory_order_relaxed)) line->worst_gap.store(late, std::memory_order_relaxed);
}

[[noreturn]] void compute() {
    std::uint64_t last = now();
    for (;;) {
        work(500);
        const std::uint64_t time = now();
        count(time - last);
        last = time;
    }
}

Handle questions = kNoHandle;

void serve(std::uint64_t) {
    std::uint64_t answers = 0;
    for (;;) {
        char byte = 0;
        Message reply{}, next{};
        next.bytes = address_of(&byte);
        next.size = 1;
        const auto asked = sys::ipc_reply_wait(questions, answers, &reply, &next, kNoDeadline);
        answers = asked ? next.reply_to : 0;
    }
}

[[noreturn]] void ask() {
    questions = *sys::channel_create(self, 4, 4096);
    (void)start_thread(serve, 0);
    std::uint64_t last = now();
    for (;;) {
        char byte = 0;
        Message question{}, reply{};
        question.bytes = reply.bytes = address_of(&byte);
        question.size = reply.size = 1;
        if (!sys::ipc_call(questions, &question, &reply, kNoDeadline)) continue;
        const std::uint64_t time = now();
        count(time - last);
        last = time;
    }
}

[[noreturn]] void tick() {
    constexpr std::uint64_t kPeriod = 2 * kMillisecond;
    const OwnedHandle queue(*sys::queue_create(self));
    EventPacket packet;
    std::uint64_t due = now();
    for (;;) {
        due += kPeriod;
        (void)sys::event_wait(queue.get(), &packet, 1, due);
        const std::uint64_t time = now();
        work(500);
        count(time - due);
        if (time > due + kPeriod) due = time; // what was missed is not made up for
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "honest");
    Board* board = map_memory<Board>(handle(kBoardRole), sizeof(Board));
    if (board == nullptr) return 1;
    line = &board->crew[parse_decimal(argument(1)) % kCrew];
    const std::string_view kind = argument(0);
    if (kind == "spin") compute();
    if (kind == "call") ask();
    if (kind == "tick") tick();
    rest(); // an innocent that only waits
}
