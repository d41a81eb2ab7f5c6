// The one template that all records are encoded from. See encode.hpp.
#include "kernel/audit/encode.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/cbor.hpp"

namespace aios::audit {

Result<Bytes> encode_record(const Record& record, std::uint64_t index, std::uint64_t time_ns, MutableBytes out) {
    cbor::Encoder encoder(out);
    encoder.map_open();
    encoder.key(0).uint(index);
    encoder.key(1).uint(time_ns);
    encoder.key(2).uint(static_cast<std::uint64_t>(record.kind));
    encoder.key(3).uint(record.agent);
    encoder.key(4).uint(record.subject);
    encoder.key(5).uint(record.call);
    encoder.key(6).array(3).uint(record.detail[0]).uint(record.detail[1]).uint(record.detail[2]);
    encoder.key(7).uint(record.count);
    if (std::ranges::any_of(record.digest, [](std::uint8_t b) { return b != 0; }))
        encoder.key(8).bytes(std::as_bytes(std::span(record.digest)));
    std::size_t length = 0;
    while (length < sizeof(record.name) && record.name[length] != '\0')
        ++length;
    if (length != 0) encoder.key(9).text({record.name, length});
    encoder.close();
    return encoder.finish();
}

} // namespace aios::audit
