#include "personality/linux/open_file.hpp"

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

OpenFile::~OpenFile() {
    if (locks_.load(std::memory_order_acquire) != nullptr) drop_locks();
    watched.end_all(*this);
}

Outcome OpenFile::read(Call&, UserOut<std::byte>, std::uint64_t) { return refuse(kBadFd); }
Outcome OpenFile::write(Call&, UserIn<std::byte>, std::uint64_t) { return refuse(kBadFd); }

namespace {

// One range after the other until one is short. What was moved before an error counts: then the call is not made again, either.
template <typename F>
Outcome for_ranges(Call& call, const Vectors& vectors, F&& one) {
    std::uint64_t total = 0;
    for (const IoVector& range : vectors.ranges()) {
        if (range.bytes == 0) continue;
        const Outcome done = one(range);
        if (!done && total != 0) call.data().interrupted.active = false;
        if (!done) return total != 0 ? Outcome(total) : done;
        total += *done;
        if (*done < range.bytes) break;
    }
    return total;
}

} // namespace

Outcome OpenFile::read_vectors(Call& call, const Vectors& to) {
    return for_ranges(call, to,
                      [&](const IoVector& range) { return read(call, UserOut<std::byte>(range.base), range.bytes); });
}

Outcome OpenFile::write_vectors(Call& call, const Vectors& from) {
    return for_ranges(call, from,
                      [&](const IoVector& range) { return write(call, UserIn<std::byte>(range.base), range.bytes); });
}

Outcome OpenFile::read_at(Call& call, UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t) {
    return read(call, to, bytes);
}

Outcome OpenFile::write_at(Call& call, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t) {
    return write(call, from, bytes);
}

Errno OpenFile::put_at(Call&, Bytes, std::uint64_t) { return kInvalid; }
Errno OpenFile::put(Call&, Bytes) { return kInvalid; }
Outcome OpenFile::seek(std::int64_t, std::uint32_t) { return 0; }
Outcome OpenFile::resize(Call&, std::uint64_t) { return refuse(kInvalid); }
Outcome OpenFile::reserve(Call&, std::uint64_t, FileSize) { return refuse(kNoDevice); }
Outcome OpenFile::control(Call&, std::uint32_t, std::uint64_t) { return refuse(kNotTerminal); }
std::expected<Ref<OpenFile>, Errno> OpenFile::reopen(LinuxProcess&) { return std::unexpected(kNoDeviceAddress); }
std::expected<MapSource, Errno> OpenFile::map_source() { return std::unexpected(kNoDevice); }

} // namespace aios::linux_abi
