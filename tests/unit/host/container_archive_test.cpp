// Archives of containers: layers over each other, the configuration, and everything that can be wrong with one.
#include <format>
#include <functional>

#include "base/bytes.hpp"
#include "crypto/sha2.hpp"
#include "tests/unit/host/made_tar.hpp"
#include "tests/unit/host/support.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/image.hpp"
#include "tools/aios/image/pack.hpp"

namespace aios::host {
namespace {

std::string digest(std::string_view bytes) { return hex(as_text(crypto::Sha256::hash(as_bytes(bytes)))); }

constexpr std::string_view kConfig =
    R"({"os":"linux","architecture":"amd64","config":{"Env":["PATH=/opt/bin","MODE=calm"],"WorkingDir":"/srv","Entrypoint":["/opt/bin/tool"],"Cmd":["-v"]}})";

// An image layout, of which each part can be another than it should be.
struct Layout {
    std::vector<std::string> layers{
        made_tar({{.name = "opt/bin/tool", .contents = "one", .mode = "0000755"}, {.name = "old", .contents = "x"}}),
        made_tar({{.name = ".wh.old"}, {.name = "new", .contents = "n"}})};
    std::string config{kConfig};
    std::string layer_type = "application/vnd.oci.image.layer.v1.tar";
    std::string platform = R"(,"platform":{"os":"linux","architecture":"amd64"})";
    std::string more_manifests = {};
    bool is_nested = false; // the index leads to another one

    static std::string descriptor(std::string_view type, std::string_view bytes, std::string_view more = {}) {
        return std::format(R"({{"mediaType":"{}","digest":"sha256:{}","size":{}{}}})", type, digest(bytes),
                           bytes.size(), more);
    }
    static Piece blob(const std::string& bytes) { return {.name = "blobs/sha256/" + digest(bytes), .contents = bytes}; }

    [[nodiscard]] std::vector<Piece> pieces() const {
        std::vector<Piece> all{{.name = "oci-layout", .contents = R"({"imageLayoutVersion":"1.0.0"})"}};
        std::string list;
        for (const std::string& layer : layers) {
            all.push_back(blob(layer));
            list += (list.empty() ? "" : ",") + descriptor(layer_type, layer);
        }
        const std::string manifest =
            std::format(R"({{"schemaVersion":2,"config":{},"layers":[{}]}})", descriptor("c", config), list);
        std::string index =
            std::format(R"({{"manifests":[{}{}]}})",
                        descriptor("application/vnd.oci.image.manifest.v1+json", manifest, platform), more_manifests);
        all.push_back(blob(config));
        all.push_back(blob(manifest));
        if (is_nested) {
            all.push_back(blob(index));
            index =
                std::format(R"({{"manifests":[{}]}})", descriptor("application/vnd.oci.image.index.v1+json", index));
        }
        all.push_back({.name = "index.json", .contents = index});
        return all;
    }
};

class ContainerArchiveTest : public ScratchTest {
protected:
    void SetUp() override {
        ScratchTest::SetUp();
        spool_.emplace(*Spool::create(16));
    }
    Outcome<Packed> pack(const std::vector<Piece>& pieces) {
        put("archive", made_tar(pieces));
        return pack_source(at("archive"), *spool_);
    }
    void refuses(const std::vector<Piece>& pieces, std::string_view part) {
        const auto packed = pack(pieces);
        ASSERT_FALSE(packed) << part;
        EXPECT_EQ(exit_of(packed), 3);
        EXPECT_NE(packed.error().sentence.find(part), std::string::npos) << packed.error().sentence;
    }
    static std::string paths(const Outcome<Packed>& packed) {
        std::string all;
        if (!packed) return packed.error().sentence;
        Tree tree = packed->tree;
        for (const BundleEntry& entry : std::move(tree).bundle().entries)
            all += entry.path + " ";
        return all;
    }

    std::optional<Spool> spool_;
};

void check_config(const Outcome<Packed>& packed) {
    ASSERT_TRUE(packed);
    EXPECT_EQ(packed->config.environment, (std::vector<std::string>{"PATH=/opt/bin", "MODE=calm"}));
    EXPECT_EQ(packed->config.directory, "/srv");
    EXPECT_EQ(packed->config.program, (std::vector<std::string>{"/opt/bin/tool", "-v"}));
}

TEST_F(ContainerArchiveTest, LayersLieOverEachOther) {
    Layout layout;
    const auto packed = pack(layout.pieces());
    EXPECT_EQ(paths(packed), "new opt opt/bin opt/bin/tool ");
    check_config(packed);
    layout.is_nested = true;
    EXPECT_EQ(paths(pack(layout.pieces())), "new opt opt/bin opt/bin/tool ");
    layout.platform = ""; // then the configuration says what it is for
    layout.more_manifests =
        "," + Layout::descriptor("m", "none", R"(,"platform":{"os":"linux","architecture":"arm64"})");
    EXPECT_EQ(paths(pack(layout.pieces())), "new opt opt/bin opt/bin/tool ");
}

// The same of what was unpacked into a folder, and what is packed comes out of an image as it went in.
TEST_F(ContainerArchiveTest, AnImageRemembersTheConfiguration) {
    for (const Piece& piece : Layout{}.pieces())
        put("folder/" + piece.name, piece.contents);
    auto packed = pack_source(at("folder"), *spool_);
    check_config(packed);
    packed->tree.begin_layer("config");
    ASSERT_TRUE(put_config(packed->tree, packed->config));
    Bundle tree = std::move(packed->tree).bundle();
    ASSERT_TRUE(write_image(at("image"), tree));
    const auto again = pack_source(at("image"), *spool_);
    check_config(again);
    EXPECT_EQ(paths(again), " new opt opt/bin opt/bin/tool ");
    put("odd/.aios-config.json", R"({"environment":["x"]})");
    EXPECT_EQ(exit_of(pack_source(at("odd"), *spool_)), 3);
    put("odd/.aios-config.json", "text");
    EXPECT_EQ(exit_of(pack_source(at("odd"), *spool_)), 3);
}

TEST_F(ContainerArchiveTest, WhatDockerSaves) {
    const Layout layout;
    const auto saved = [&](std::string_view diff_id) {
        const std::string config = std::format(
            R"({{"os":"linux","config":{{"Env":["PATH=/opt/bin","MODE=calm"],"WorkingDir":"srv","Cmd":["/opt/bin/tool","-v"]}},"rootfs":{{"diff_ids":["sha256:{}","sha256:{}"]}}}})",
            diff_id, digest(layout.layers[1]));
        return std::vector<Piece>{
            {.name = "1/layer.tar", .contents = layout.layers[0]},
            {.name = "2/layer.tar", .contents = layout.layers[1]},
            {.name = "3/layer.tar", .type = '2', .target = "../2/layer.tar"},
            {.name = "c.json", .contents = config},
            {.name = "manifest.json",
             .contents = R"([{"Config":"c.json","RepoTags":["a:b"],"Layers":["1/layer.tar","3/layer.tar"]}])"}};
    };
    const auto packed = pack(saved(digest(layout.layers[0])));
    EXPECT_EQ(paths(packed), "new opt opt/bin opt/bin/tool ");
    check_config(packed);
    refuses(saved(digest("other")), "a layer does not match its digest");
    auto pieces = saved(digest(layout.layers[0]));
    pieces.back().contents = R"([{"Config":"c.json","Layers":["1/layer.tar"]}])";
    refuses(pieces, "does not name its layers");
    pieces.back().contents = R"([{"Config":"c.json","Layers":["1/layer.tar","../../etc/passwd"]}])";
    refuses(pieces, "the layer '../../etc/passwd' is missing");
    pieces.back().contents = R"([{"Config":"none","Layers":[]}])";
    refuses(pieces, "the configuration is missing");
    pieces.back().contents = R"([{"Config":"c.json","Layers":[]},{"Config":"c.json","Layers":[]}])";
    refuses(pieces, "has 2 images");
    // A tree that has a file of that name is none of docker's.
    EXPECT_EQ(paths(pack({{.name = "manifest.json", .contents = R"({"name":"app"})"}})), "manifest.json ");
}

TEST_F(ContainerArchiveTest, WhatIsWrongIsNamed) {
    const auto with = [](const std::function<void(Layout&)>& change) {
        Layout layout;
        change(layout);
        return layout.pieces();
    };
    refuses(with([](Layout& l) { l.platform = R"(,"platform":{"os":"linux","architecture":"arm64"})"; }),
            "no image for linux/amd64");
    refuses(with([](Layout& l) {
                l.more_manifests =
                    "," + Layout::descriptor("m", "x", R"(,"platform":{"os":"linux","architecture":"amd64"})");
            }),
            "has 2 images for linux/amd64");
    refuses(with([](Layout& l) { l.config = R"({"os":"windows","architecture":"amd64"})"; }), "is for windows/amd64");
    refuses(with([](Layout& l) { l.config = "no json"; }), "the configuration, that is not JSON");
    refuses(with([](Layout& l) { l.config = R"({"config":{"Env":[1]}})"; }), "says nothing of use");
    refuses(with([](Layout& l) { l.layer_type += "+encrypted"; }), "which cannot be read");
    refuses(with([](Layout& l) { l.layers[1] = std::string(2000, 'x'); }), "(layer 2)' is no archive");
    refuses(with([](Layout& l) { l.layers[1] = made_tar({{.name = "../out"}}); }), "(layer 2)' has '../out'");
    refuses(with([](Layout& l) { l.layers.assign(501, made_tar({})); }), "501 layers; 500 is the most");
    auto pieces = Layout{}.pieces();
    pieces[1].contents[0] ^= 1;
    refuses(pieces, "is damaged: a layer does not match its digest");
    pieces[1].contents += std::string(512, '\0');
    refuses(pieces, "has not the size that it should have");
    pieces.erase(pieces.begin() + 1);
    refuses(pieces, "a layer sha256:");
    for (const auto& [text, part] :
         {std::pair{"", "not JSON"}, std::pair{"[]", "index without manifests"},
          std::pair{R"({"manifests":{}})", "index without manifests"},
          std::pair{R"({"manifests":[]})", "no image for linux/amd64"},
          std::pair{R"({"manifests":[{"digest":"md5:1"}]})", "no digest of SHA-256"},
          std::pair{R"({"manifests":[{"digest":"sha256:../../../../etc/passwd"}]})", "no digest"},
          std::pair{R"({"manifests":[1,null,"x"]})", "no digest of SHA-256"}}) {
        pieces = Layout{}.pieces();
        pieces.back().contents = text;
        refuses(pieces, part);
    }
}

} // namespace
} // namespace aios::host
