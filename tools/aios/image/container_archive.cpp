#include "tools/aios/image/container_archive.hpp"

#include <algorithm>
#include <deque>
#include <format>
#include <set>

#include "base/bytes.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/json.hpp"
#include "tools/aios/image/layer.hpp"

namespace aios::host {

namespace {

using nlohmann::json;

constexpr std::uint64_t kMostDocument = 4 << 20; // what OCI asks every reader for
constexpr std::size_t kMostLayers = 500, kMostIndexes = 64;
constexpr std::string_view kSha256 = "sha256:", kBlobs = "blobs/sha256/";
constexpr std::string_view kSystem = "linux", kArchitecture = "amd64";

bool is_index_type(std::string_view type) {
    return type == "application/vnd.oci.image.index.v1+json" ||
           type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

bool is_compressed(std::string_view head) {
    using namespace std::string_view_literals;
    for (const std::string_view magic : {"\x1f\x8b"sv, "BZh"sv,
                                         "\xfd"
                                         "7zXZ"sv,
                                         "\x28\xb5\x2f\xfd"sv})
        if (head.starts_with(magic)) return true;
    return false;
}

Outcome<std::string> digest_of(const BundleEntry& file) {
    crypto::Sha256 hash;
    HOST_TRY(read_contents(file, [&](std::string_view part) -> Outcome<> {
        hash.update(as_bytes(part));
        return {};
    }));
    const auto digest = hash.finish();
    return hex(as_text(digest));
}

class ContainerReader {
public:
    ContainerReader(Tree& archive, const std::string& name, Spool& spool)
        : archive_(archive), name_(name), spool_(spool) {}

    Outcome<Container> read() {
        if (archive_.file("oci-layout") != nullptr && archive_.file("index.json") != nullptr)
            HOST_TRY(read_layout());
        else
            HOST_TRY(read_saved());
        return std::move(container_);
    }

private:
    [[nodiscard]] std::unexpected<Failure> refuse(std::string_view what) const {
        return failure(Exit::bad_input, std::format("'{}' {}.", printable(name_), what));
    }

    Outcome<json> document(const BundleEntry& file, std::string_view what) const {
        if (file.size() > kMostDocument) return refuse(std::format("has a document, {}, that is too large", what));
        json read = parse_json(file.stored ? HOST_TRY(read_stored(*file.stored, kMostDocument)) : file.bytes);
        if (read.is_discarded()) return refuse(std::format("has a document, {}, that is not JSON", what));
        return read;
    }

    // What a descriptor (OCI image-spec, "OCI Content Descriptors") points to, checked against it.
    Outcome<const BundleEntry*> blob(const json& descriptor, std::string_view what) {
        const std::string digest = text_member(descriptor, "digest");
        if (!digest.starts_with(kSha256) || digest.size() != kSha256.size() + 64 ||
            digest.find_first_not_of("0123456789abcdef", kSha256.size()) != std::string::npos)
            return refuse(std::format("names {} by '{}', which is no digest of SHA-256", what, shortened(digest)));
        const std::string path = std::string(kBlobs) + digest.substr(kSha256.size());
        const BundleEntry* const file = archive_.file(path);
        if (file == nullptr) return refuse(std::format("has not all that it names: {} {} is missing", what, digest));
        const json* const size = member(descriptor, "size");
        if (size != nullptr && size->is_number_unsigned() && size->get<std::uint64_t>() != file->size())
            return refuse(std::format("is damaged: {} {} has not the size that it should have", what, digest));
        HOST_TRY(check_digest(*file, digest.substr(kSha256.size()), what));
        return file;
    }

    Outcome<json> blob_document(const json& descriptor, std::string_view what) {
        const BundleEntry* const file = HOST_TRY(blob(descriptor, what));
        return document(*file, what);
    }

    Outcome<> check_digest(const BundleEntry& file, std::string_view digest, std::string_view what) {
        if (checked_.contains(std::string(digest))) return {};
        spool_.tell(std::format("checking {}", digest));
        if (HOST_TRY(digest_of(file)) != digest)
            return refuse(std::format("is damaged: {} does not match its digest, sha256:{}", what, digest));
        checked_.emplace(digest);
        return {};
    }

    // The one manifest for linux/amd64 that the index leads to, through other indexes too.
    Outcome<json> choose_manifest() {
        std::deque<json> indexes{HOST_TRY(document(*archive_.file("index.json"), "index.json"))};
        std::map<std::string, json> fitting, unsaid; // by digest
        std::set<std::string> seen;
        for (std::size_t number = 0; !indexes.empty(); ++number) {
            const json index = std::move(indexes.front());
            indexes.pop_front();
            const json* const manifests = member(index, "manifests");
            if (manifests == nullptr || !manifests->is_array()) return refuse("has an index without manifests");
            for (const json& descriptor : *manifests) {
                const std::string digest = text_member(descriptor, "digest");
                const json* const platform = member(descriptor, "platform");
                const bool is_ours = platform != nullptr && text_member(*platform, "os") == kSystem &&
                                     text_member(*platform, "architecture") == kArchitecture;
                if (!seen.insert(digest).second || (platform != nullptr && !is_ours)) continue;
                const bool is_index = is_index_type(text_member(descriptor, "mediaType"));
                if (is_index && number + indexes.size() >= kMostIndexes) return refuse("has too many indexes");
                if (is_index)
                    indexes.push_back(HOST_TRY(blob_document(descriptor, "an index")));
                else
                    (is_ours ? fitting : unsaid)[digest] = descriptor;
            }
        }
        const auto& found = fitting.empty() ? unsaid : fitting;
        if (found.empty()) return refuse("has no image for linux/amd64");
        if (found.size() > 1)
            return refuse(
                std::format("has {} images for linux/amd64; an archive with one of them is needed", found.size()));
        return blob_document(found.begin()->second, "the manifest");
    }

    Outcome<> read_layout() {
        const json manifest = HOST_TRY(choose_manifest());
        const json *const config = member(manifest, "config"), *const layers = member(manifest, "layers");
        if (config == nullptr || layers == nullptr || !layers->is_array())
            return refuse("has a manifest without configuration or layers");
        const json said = HOST_TRY(blob_document(*config, "the configuration"));
        HOST_TRY(take_config_document(said));
        HOST_TRY(check_count(layers->size()));
        for (const json& layer : *layers) {
            const std::string type = text_member(layer, "mediaType");
            if (!type.contains("tar") || type.contains("encrypted"))
                return refuse(std::format("has a layer of the type '{}', which cannot be read", shortened(type)));
            const BundleEntry* const file = HOST_TRY(blob(layer, "a layer"));
            HOST_TRY(apply(*file));
        }
        return {};
    }

    // What `docker save` writes: one list of images, whose layers stand in the order in which they lie over each other.
    Outcome<> read_saved() {
        const json images = HOST_TRY(document(*archive_.file("manifest.json"), "manifest.json"));
        if (images.size() != 1)
            return refuse(std::format("has {} images; an archive with one is needed", images.size()));
        const json& image = images.front();
        const BundleEntry* const file = archive_.file(text_member(image, "Config"));
        if (file == nullptr) return refuse("has not all that it names: the configuration is missing");
        const json config = HOST_TRY(document(*file, "the configuration"));
        HOST_TRY(take_config_document(config));
        const auto layers = texts_member(image, "Layers");
        const json* const rootfs = member(config, "rootfs");
        const auto digests = rootfs == nullptr ? std::nullopt : texts_member(*rootfs, "diff_ids");
        if (!layers || !digests || digests->size() != layers->size())
            return refuse("has a configuration that does not name its layers");
        HOST_TRY(check_count(layers->size()));
        for (std::size_t i = 0; i < layers->size(); ++i) {
            const BundleEntry* const layer = archive_.file((*layers)[i]);
            if (layer == nullptr)
                return refuse(
                    std::format("has not all that it names: the layer '{}' is missing", shortened((*layers)[i])));
            HOST_TRY(check_saved_layer(*layer, (*layers)[i], (*digests)[i]));
            HOST_TRY(apply(*layer));
        }
        return {};
    }

    // The configuration has the digest of each layer as it is without compression; a blob's name has that of the blob.
    Outcome<> check_saved_layer(const BundleEntry& layer, std::string_view path, std::string_view digest) {
        if (path.starts_with(kBlobs)) return check_digest(layer, path.substr(kBlobs.size()), "a layer");
        std::string head(std::min<std::uint64_t>(layer.size(), 8), '\0');
        if (layer.stored) {
            const StoredReader reader = HOST_TRY(StoredReader::open(*layer.stored));
            HOST_TRY(reader.read(0, head));
        }
        if (is_compressed(head)) return {};
        return check_digest(layer, digest.substr(std::min(digest.size(), kSha256.size())), "a layer");
    }

    Outcome<> check_count(std::size_t layers) const {
        if (layers <= kMostLayers) return {};
        return refuse(std::format("has {} layers; {} is the most", layers, kMostLayers));
    }

    Outcome<> apply(const BundleEntry& layer) {
        std::string name = std::format("{} (layer {})", name_, ++layers_);
        Archive archive = HOST_TRY(layer.stored ? Archive::open(*layer.stored, std::move(name))
                                                : Archive::open(layer.bytes, std::move(name)));
        container_.passed_over += HOST_TRY(apply_archive(archive, container_.tree, spool_, Whiteouts::take_away));
        return {};
    }

    // OCI image-spec, "OCI Image Configuration".
    Outcome<> take_config_document(const json& document) {
        const std::string system = text_member(document, "os"), architecture = text_member(document, "architecture");
        if ((!system.empty() && system != kSystem) || (!architecture.empty() && architecture != kArchitecture))
            return refuse(
                std::format("is for {}/{}, and not for linux/amd64", shortened(system), shortened(architecture)));
        const json* const config = member(document, "config");
        if (config == nullptr) return {};
        ImageConfig& into = container_.config;
        auto environment = texts_member(*config, "Env");
        auto program = texts_member(*config, "Entrypoint"), arguments = texts_member(*config, "Cmd");
        if (!environment || !program || !arguments) return refuse("has a configuration that says nothing of use");
        for (std::string& variable : *environment)
            if (variable.find('=', 1) != std::string::npos) into.environment.push_back(std::move(variable));
        into.directory = text_member(*config, "WorkingDir");
        if (into.directory.contains('\0')) return refuse("has a configuration that says nothing of use");
        if (!into.directory.empty() && !into.directory.starts_with('/')) into.directory.insert(0, "/");
        into.program = std::move(*program);
        into.program.insert(into.program.end(), arguments->begin(), arguments->end());
        return {};
    }

    Tree& archive_;
    const std::string name_;
    Spool& spool_;
    Container container_;
    std::set<std::string> checked_; // digests
    std::size_t layers_ = 0;
};

// A list of images, each with its layers.
bool is_saved(Tree& archive) {
    const BundleEntry* const file = archive.file("manifest.json");
    if (file == nullptr || file->size() > kMostDocument) return false;
    const auto text = file->stored ? read_stored(*file->stored, kMostDocument) : Outcome<std::string>(file->bytes);
    const json read = text ? parse_json(*text) : json();
    return read.is_array() && !read.empty() && member(read.front(), "Layers") != nullptr &&
           member(read.front(), "Config") != nullptr;
}

} // namespace

bool is_container_archive(Tree& archive) {
    if (archive.file("oci-layout") != nullptr && archive.file("index.json") != nullptr) return true;
    return is_saved(archive);
}

Outcome<Container> unpack_container(Tree& archive, const std::string& name, Spool& spool) {
    return ContainerReader(archive, name, spool).read();
}

} // namespace aios::host
