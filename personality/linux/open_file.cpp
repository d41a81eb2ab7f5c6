#include "personality/linux/open_file.hpp"

namespace aios::linux_abi {

Outcome OpenFile::read(Call&, UserOut<std::byte>, std::uint64_t) { return refuse(kBadFd); }
Outcome OpenFile::write(Call&, UserIn<std::byte>, std::uint64_t) { return refuse(kBadFd); }

Outcome OpenFile::read_at(Call& call, UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t) {
    return read(call, to, bytes);
}

Outcome OpenFile::write_at(Call& call, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t) {
    return write(call, from, bytes);
}

Errno OpenFile::put(Call&, Bytes) { return kInvalid; }
Outcome OpenFile::seek(std::int64_t, std::uint32_t) { return 0; }
Outcome OpenFile::resize(std::uint64_t) { return refuse(kInvalid); }
Outcome OpenFile::reserve(std::uint64_t, FileSize) { return refuse(kNoDevice); }
Outcome OpenFile::control(Call&, std::uint32_t, std::uint64_t) { return refuse(kNotTerminal); }
std::expected<MapSource, Errno> OpenFile::map_source() { return std::unexpected(kNoDevice); }

} // namespace aios::linux_abi
