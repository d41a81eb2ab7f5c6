// Calls about the audit log. See call.hpp.
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

} // namespace aios::syscall::calls
