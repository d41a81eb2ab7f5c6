#include "tools/aios/input/bundle.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <format>
#include <set>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "base/path.hpp"
#include "base/utf8.hpp"
#include "boot/container.hpp"
#include "boot/manifest.hpp"
#include "crypto/merkle.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/manifest.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMaxBootFile = 256ull << 20;

std::uint64_t round_to_page(std::uint64_t bytes) { return crypto::page_tree_leaves(bytes) * kPageBytes; }

// A section before it is written.
struct Section {
    Bundle& bundle; // as lay_out_section() left it
    SectionLayout layout;
};

Outcome<Section> lay_out(Bundle& bundle) { return Section{bundle, HOST_TRY(lay_out_section(bundle))}; }

// Where the parts of a section go, from `offset` on.
boot::ContainerSection place(const Section& section, std::uint64_t& offset) {
    boot::ContainerSection placed{};
    placed.manifest_offset = offset;
    placed.manifest_bytes = section.layout.manifest.size();
    const crypto::MerkleHash root = crypto::page_tree_root(as_bytes(section.layout.manifest));
    std::memcpy(placed.manifest_root, root.data(), root.size());
    offset += round_to_page(section.layout.manifest.size());
    placed.leaves_offset = offset;
    placed.data_pages = section.layout.leaves.size();
    offset += round_to_page(section.layout.leaves.size() * sizeof(crypto::MerkleHash));
    placed.data_offset = offset;
    offset += section.layout.leaves.size() * kPageBytes;
    return placed;
}

Outcome<> write_padded(FileWriter& out, std::string_view bytes) {
    HOST_TRY(out.write(bytes));
    return out.write_zeros(round_to_page(bytes.size()) - bytes.size());
}

// What is stored is read a second time here: it has to be what was hashed, whose leaves are the first of `leaves`.
Outcome<> write_file(FileWriter& out, const BundleEntry& entry, std::span<const crypto::MerkleHash>& leaves) {
    return read_contents(entry, [&](std::string_view part) -> Outcome<> {
        const std::size_t pages = crypto::page_tree_leaves(part.size());
        if (entry.stored) {
            std::vector<crypto::MerkleHash> found;
            append_leaves(part, found);
            if (!std::ranges::equal(found, leaves.first(pages)))
                return failure(Exit::bad_input,
                               std::format("'{}' was changed while it was packed ('{}').",
                                           printable(entry.stored->file.native()), printable(entry.path)));
        }
        leaves = leaves.subspan(pages);
        return write_padded(out, part);
    });
}

Outcome<> write_section(FileWriter& out, const Section& section) {
    HOST_TRY(write_padded(out, section.layout.manifest));
    HOST_TRY(write_padded(out, as_text(std::as_bytes(std::span(section.layout.leaves)))));
    std::span<const crypto::MerkleHash> leaves = section.layout.leaves;
    for (const BundleEntry& entry : section.bundle.entries)
        if (entry.kind == EntryKind::file) HOST_TRY(write_file(out, entry, leaves));
    return {};
}

// The mark of a line of a bundle list: KIND[,MODE[,NANOSECONDS]]. False if it is none.
bool read_mark(std::string_view mark, BundleEntry& entry) {
    if (mark.empty()) return false;
    switch (mark.front()) {
    case 'x':
    case '-':
        entry.executable = mark.front() == 'x';
        break;
    case 'd':
        entry.kind = EntryKind::directory;
        break;
    case 'l':
        entry.kind = EntryKind::link;
        break;
    case 'n':
        entry.kind = EntryKind::name;
        break;
    default:
        return false;
    }
    const char* const end = mark.data() + mark.size();
    const char* at = mark.data() + 1;
    if (at == end) return true;
    std::uint16_t mode = 0;
    if (*at != ',') return false;
    const auto read_mode = std::from_chars(at + 1, end, mode, 8);
    if (read_mode.ec != std::errc() || mode > boot::kManifestModeBits) return false;
    entry.mode = mode;
    at = read_mode.ptr;
    if (at == end) return true;
    if (*at != ',') return false;
    const auto read_time = std::from_chars(at + 1, end, entry.modified_ns);
    return read_time.ec == std::errc() && read_time.ptr == end;
}

} // namespace

bool is_bundle_path(std::string_view path) { return utf8::is_valid(path) && is_path(path); }

Outcome<> read_contents(const BundleEntry& entry, const TakeContents& take) {
    if (entry.stored) return read_parts(*entry.stored, take);
    return entry.bytes.empty() ? Outcome<>() : take(entry.bytes);
}

Outcome<Bundle> read_boot_list(const std::filesystem::path& list) {
    const std::string text = HOST_TRY(read_file(list, 16 << 20));
    Bundle bundle;
    std::string_view rest = text;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (line.empty()) continue;
        const auto one = line.find('\t');
        const auto two = one == std::string_view::npos ? one : line.find('\t', one + 1);
        if (two == std::string_view::npos)
            return failure(
                Exit::host_missing,
                std::format("'{}' is not a bundle list; run ./aios clean and build again.", printable(list.native())));
        const std::string_view path = line.substr(0, one);
        const std::string_view mark = line.substr(one + 1, two - one - 1);
        const std::string_view file = line.substr(two + 1);
        if (path == "first") {
            bundle.first = file;
            continue;
        }
        if (!is_bundle_path(path))
            return failure(Exit::host_missing, std::format("'{}' cannot be a path in a bundle.", printable(path)));
        BundleEntry entry{.path = std::string(path), .bytes = {}};
        if (!read_mark(mark, entry))
            return failure(Exit::host_missing, std::format("'{}' is not a mark of a bundle list ('{}').",
                                                           printable(mark), printable(path)));
        if (entry.kind == EntryKind::file) {
            entry.bytes = HOST_TRY(read_file(file, kMaxBootFile));
            entry.source = file;
        } else {
            entry.target = file;
        }
        bundle.entries.push_back(std::move(entry));
    }
    if (std::ranges::find(bundle.entries, bundle.first, &BundleEntry::path) == bundle.entries.end())
        return failure(Exit::host_missing,
                       std::format("the first program '{}' is not in the bundle '{}'; build it first.",
                                   printable(bundle.first), printable(list.native())));
    return bundle;
}

Outcome<Job> make_job(std::vector<Document>& documents, const std::vector<std::string>& questions) {
    Job job;
    auto& entries = job.bundle.entries;
    std::set<std::string_view> taken;
    for (const Document& document : documents)
        taken.insert(document.name);
    std::size_t number = 0;
    for (const Document& document : documents) {
        std::string name = document.name;
        if (!is_bundle_path(std::string(kJobDocuments) + name)) {
            do {
                name = std::format("unnameable-{:06}", number++);
            } while (taken.contains(name));
            job.true_names[name] = document.name;
        }
        entries.push_back({std::string(kJobDocuments) + name, {}});
    }
    taken.clear();
    for (std::size_t i = 0; i < documents.size(); ++i)
        entries[i].bytes = std::move(documents[i].bytes);
    for (std::size_t i = 0; i < questions.size(); ++i)
        entries.push_back({std::format("questions/{:06}", i), questions[i]});

    std::byte buffer[64];
    cbor::Encoder out{MutableBytes(buffer)};
    out.map(3).key(0).uint(documents.size()).key(1).uint(questions.size()).key(2).map(0);
    const auto encoded = out.finish();
    if (!encoded) return failure(Exit::failed_inside, "job.cbor cannot be encoded.");
    entries.push_back({"job.cbor", std::string(as_text(*encoded))});
    return job;
}

Outcome<std::uint64_t> write_container(const std::filesystem::path& path, Bundle& boot_bundle, Bundle& job_bundle) {
    static_assert(std::endian::native == std::endian::little, "the header is written as it lies in memory");
    const Section sections[2] = {HOST_TRY(lay_out(boot_bundle)), HOST_TRY(lay_out(job_bundle))};
    boot::ContainerHeader header{};
    std::memcpy(header.magic, boot::kContainerMagic, sizeof header.magic);
    header.version = boot::kContainerVersion;
    header.section_count = 2;
    std::uint64_t offset = kPageBytes;
    header.sections[boot::kSectionBoot] = place(sections[0], offset);
    header.sections[boot::kSectionJob] = place(sections[1], offset);
    header.total_bytes = offset;

    FileWriter out = HOST_TRY(FileWriter::create(path));
    HOST_TRY(write_padded(out, as_text(std::as_bytes(std::span(&header, 1)))));
    for (const Section& section : sections)
        HOST_TRY(write_section(out, section));
    HOST_TRY(out.finish());
    return offset;
}

} // namespace aios::host
