// Calls about the audit log. See call.hpp.
#include <algorithm>

#include "kernel/audit/log_view.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::syscall::calls {

Answer log_read(Call&, Handle, std::uint64_t index, UserOut<std::byte> bytes, std::uint64_t capacity) {
    std::byte record[512];
    const audit::ReadResult read = TRY(audit::read(index, record));
    AIOS_ASSERT(read.fits); // records are smaller
    if (read.bytes > capacity) return fail(Error::buffer_small);
    TRY(bytes.write_array(0, record, read.bytes));
    return read.bytes;
}

Answer log_info(Call&, Handle, UserInOut<LogInfo> out) {
    const LogInfo info = TRY(audit::info());
    TRY(out.out().write(info));
    return 0;
}

// Never waits. What the record says of the caller is the kernel's; names are printable, as everywhere in the log.
Answer log_refusal(Call& call, Handle, UserIn<ServiceRefusal> user) {
    const ServiceRefusal said = TRY(user.read());
    if (said.agent == 0 || said.what[0] == '\0') return fail(Error::bad_argument);
    audit::Record record;
    record.kind = audit::Kind::service_refusal;
    record.agent = call.agent.id();
    record.subject = said.agent;
    record.call = call.number;
    audit::set_name(record, {said.what, std::ranges::find(said.what, '\0')});
    audit::service_refused(call.agent.audit(), record);
    return 0;
}

} // namespace aios::syscall::calls
