// Calls about event queues and asynchronous operations. See call.hpp.
#include <algorithm>

#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"
#include "kernel/event/event.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::syscall::calls {

namespace {

constexpr std::uint64_t kMaxPqcInput = 1 << 20;
constexpr Rights kOperationRights = rights::read | rights::wait | rights::derive;

// One PQCOperation: the input, copied, and where the outcome goes. Charged to the caller until it is done.
struct PqcJob {
    Reservation charge;
    Ref<Operation> operation;
    PqcAlgorithm algorithm;
    mm::OwnedBytes input;
    std::uint64_t input_bytes;
};

bool is_supported(PqcAlgorithm algorithm) {
    switch (algorithm) {
    case PqcAlgorithm::sha2_256:
    case PqcAlgorithm::sha2_512:
    case PqcAlgorithm::sha3_256:
    case PqcAlgorithm::sha3_512:
        return true;
    }
    return false;
}

void perform(PqcJob& job) {
    const Bytes input(job.input.data(), job.input_bytes);
    switch (job.algorithm) {
    case PqcAlgorithm::sha2_256:
        return job.operation->complete_with(crypto::Sha256::hash(input));
    case PqcAlgorithm::sha2_512:
        return job.operation->complete_with(crypto::Sha512::hash(input));
    case PqcAlgorithm::sha3_256: {
        crypto::Sha3_256 hash;
        hash.update(input);
        return job.operation->complete_with(hash.finish());
    }
    case PqcAlgorithm::sha3_512: {
        crypto::Sha3_512 hash;
        hash.update(input);
        return job.operation->complete_with(hash.finish());
    }
    }
}

// Runs as a thread of the caller's process that never leaves the kernel: the caller's share and quota pay for it.
void run_job(void* argument) {
    {
        const mm::Owned<PqcJob> job(static_cast<PqcJob*>(argument));
        if (Thread::current().is_killed()) {
            job->operation->fail_with(Error::killed);
        } else {
            perform(*job);
        }
    }
    Thread::exit_current();
}

} // namespace

Answer queue_create(Call& call, Handle) {
    TRY(call.check_self());
    return call.give(TRY(EventQueue::create(call.quota())),
                     rights::write | rights::wait | rights::derive | rights::transfer);
}

Answer event_register(Call& call, Handle, Handle object, std::uint64_t signals, std::uint64_t key) {
    auto watched = TRY(call.agent.table().lookup_any(object, ObjectType::any, rights::wait));
    TRY(call.object<EventQueue>().add(call.quota(), *watched.object, signals, key, std::move(watched.node),
                                      &call.agent.registrant()));
    return 0;
}

Answer event_cancel(Call& call, Handle, std::uint64_t key) {
    TRY(call.object<EventQueue>().cancel(key));
    return 0;
}

Answer event_wait(Call& call, Handle, UserInOut<EventPacket> packets, std::uint64_t capacity, std::uint64_t deadline) {
    if (capacity == 0) return fail(Error::bad_argument);
    if (capacity > EventQueue::kMaxPacketsPerWait) capacity = EventQueue::kMaxPacketsPerWait;
    // Packets that are taken are gone: the place for them is tried first.
    EventPacket found[EventQueue::kMaxPacketsPerWait];
    std::fill_n(found, capacity, EventPacket{}); // those that the program can see
    TRY(packets.out().write_array(0, found, capacity));
    const sched::Through through{call.agent.id(), call.first.node.get()};
    const std::size_t count = TRY(call.object<EventQueue>().wait({found, capacity}, deadline, through));
    TRY(packets.out().write_array(0, found, count));
    return count;
}

Answer get_async_result(Call& call, Handle, UserInOut<AsyncResult> user) {
    AsyncResult result = TRY(user.read());
    Operation& operation = call.object<Operation>();
    Operation::Outcome outcome;
    TRY(operation.peek(outcome));
    result.error = outcome.error;
    result.value = outcome.output_bytes;
    if (outcome.output_bytes != 0) {
        if (result.capacity < outcome.output_bytes) {
            TRY(user.out().write(result)); // value = the size that is needed
            return fail(Error::buffer_small);
        }
        TRY(UserOut<std::byte>(result.output).write_array(0, outcome.output, outcome.output_bytes));
    }
    if (!outcome.object) {
        TRY(user.out().write(result));
        return operation.finish_fetch() ? Answer(0) : fail(Error::bad_state);
    }
    TRY(user.out().write(result)); // the address is good; the handle follows
    result.value = TRY(call.give(outcome.object, outcome.rights));
    if (!operation.finish_fetch()) {
        (void)call.agent.table().close(result.value);
        return fail(Error::bad_state);
    }
    TRY(user.out().write(result));
    return 0;
}

Answer pqc_operation(Call& call, Handle, UserIn<PqcRequest> user) {
    TRY(call.check_self());
    const PqcRequest request = TRY(user.read());
    const auto algorithm = static_cast<PqcAlgorithm>(request.algorithm);
    if (!is_supported(algorithm)) return fail(Error::unsupported);
    if (request.flags != 0) return fail(Error::bad_argument);
    if (request.input_bytes > kMaxPqcInput) return fail(Error::too_large);

    Ref<Operation> operation = TRY(Operation::create(call.quota()));
    Reservation charge = TRY(Reservation::make(call.quota(), Resource::memory, mm::cost_of<PqcJob>));
    mm::OwnedBytes input = TRY(mm::OwnedBytes::make(call.quota(), request.input_bytes));
    TRY(UserIn<std::byte>(request.input).read_array(0, input.data(), request.input_bytes));
    auto job = TRY(mm::own<PqcJob>(std::move(charge), operation, algorithm, std::move(input), request.input_bytes));

    const Handle handle = TRY(call.give(operation, kOperationRights));
    auto thread = call.process.create_kernel_thread(run_job, job.get());
    if (!thread) {
        (void)call.agent.table().close(handle);
        return fail(thread.error());
    }
    (void)job.release(); // the thread's
    (*thread)->start();
    return handle;
}

} // namespace aios::syscall::calls
