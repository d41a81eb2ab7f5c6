// What images are made of, and what `./aios run-linux --rootfs` takes: archives, containers, images, packages.
#include <format>

#include "base/bytes.hpp"
#include "crypto/sha2.hpp"
#include "tests/scenario/run_linux.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::scenario {

namespace {

constexpr const char* kProgram = "/bin/busybox";

void must(const Words& command) {
    const auto done = host::capture_process(command, std::chrono::minutes(1));
    EXPECT_SAYING(done.status == 0, command.front() + ": " + done.err);
}

// A folder of the scratch that has busybox, under its own path, with the loader and the libraries that it has on this machine.
void put_program(const World& world, const std::string& folder) {
    if (!std::filesystem::exists(kProgram)) SKIP("there is no busybox here");
    const auto needs =
        host::capture_process({"ldd", kProgram}, std::chrono::minutes(1)); // of a static one it finds nothing
    std::string files = kProgram;
    for (std::size_t at = 0; (at = needs.out.find('/', at)) != std::string::npos;) {
        const auto end = needs.out.find_first_of(" \n", at);
        files += "\n" + needs.out.substr(at, end - at);
        at = end;
    }
    for (std::size_t at = 0; at < files.size();) {
        const auto end = std::min(files.find('\n', at), files.size());
        const std::string file = files.substr(at, end - at);
        const auto place = world.scratch / folder / file.substr(1);
        std::filesystem::create_directories(place.parent_path());
        std::filesystem::copy_file(file, place, std::filesystem::copy_options::overwrite_existing);
        at = end + 1;
    }
}

std::string digest(std::string_view bytes) { return host::hex(as_text(crypto::Sha256::hash(as_bytes(bytes)))); }

// Puts a blob into the layout, and answers its descriptor.
std::string put_blob(const World& world, std::string_view type, const std::string& bytes) {
    world.put("layout/blobs/sha256/" + digest(bytes), bytes);
    return std::format(R"({{"mediaType":"{}","digest":"sha256:{}","size":{}}})", type, digest(bytes), bytes.size());
}

// An image of a container in two layers, as an archive: the second is compressed, changes a file and takes one away.
std::string make_container(const World& world) {
    put_program(world, "one");
    world.put("one/srv/greeting", "old\n");
    world.put("one/srv/gone", "x");
    world.put("two/srv/greeting", "new\n");
    world.put("two/srv/.wh.gone", "");
    must({"tar", "-C", world.at("one"), "-cf", world.at("one.tar"), "."});
    must({"tar", "-C", world.at("two"), "-czf", world.at("two.tar"), "."});
    const std::string layers =
        put_blob(world, "application/vnd.oci.image.layer.v1.tar", world.get(world.at("one.tar"))) + "," +
        put_blob(world, "application/vnd.oci.image.layer.v1.tar+gzip", world.get(world.at("two.tar")));
    const std::string config = put_blob(
        world, "application/vnd.oci.image.config.v1+json",
        R"({"os":"linux","architecture":"amd64","config":{"Env":["GREETING=hello","PATH=/bin"],"WorkingDir":"/srv",)"
        R"("Entrypoint":["busybox","sh","-c"],"Cmd":["echo $GREETING; cat greeting; ls"]}})");
    const std::string manifest =
        put_blob(world, "application/vnd.oci.image.manifest.v1+json",
                 std::format(R"({{"schemaVersion":2,"config":{},"layers":[{}]}})", config, layers));
    world.put("layout/index.json", std::format(R"({{"schemaVersion":2,"manifests":[{}]}})", manifest));
    world.put("layout/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    must({"tar", "-C", world.at("layout"), "-cf", world.at("container.tar"), "."});
    return world.at("container.tar");
}

// A run of which standard error and standard output are all that is looked at.
void expect_run(const host::Captured& done, const std::string& out) {
    EXPECT_SAYING(done.status == 0 && done.out == out, std::format("{}: {}{}", done.status, done.out, done.err));
}

// One sentence at the end of standard error.
void expect_refused(const host::Captured& done, int status, std::string_view part) {
    EXPECT_SAYING(done.status == status, std::format("{}: status {}: {}", part, done.status, done.err));
    const auto last = done.err.rfind("aios: ");
    EXPECT_SAYING(last != std::string::npos && done.err.find('\n', last) == done.err.size() - 1, done.err);
    EXPECT_SAYING(done.err.find(part, last) != std::string::npos, done.err);
}

} // namespace

SCENARIO(a_container_runs_from_its_archive_and_from_an_image) {
    const std::string container = make_container(world);
    expect_run(run_linux(world, {"--rootfs", container}, {"busybox", "sh", "-c", "pwd; cat greeting; echo $GREETING"}),
               "/srv\nnew\nhello\n");
    const auto packed = world.aios({"image", "pack", container, "-o", world.at("image")});
    EXPECT_SAYING(packed.status == 0, packed.err);
    EXPECT(world.aios({"image", "verify", world.at("image")}).status == 0);
    // What the user says counts, and what the user does not say the image does.
    expect_run(run_linux(world, {"--rootfs", world.at("image"), "--env", "GREETING=bye", "--cwd", "/"},
                         {"busybox", "sh", "-c", "pwd; ls -a /srv; echo $GREETING"}),
               "/\n.\n..\ngreeting\nbye\n");
    expect_run(world.aios({"run-linux", "--timeout", "240", "--rootfs", world.at("image")}), "hello\nnew\ngreeting\n");

    std::string bytes = world.get(world.at("image"));
    bytes[bytes.find("\x7f"
                     "ELF") +
          100] ^= 1;
    world.put("damaged", bytes);
    expect_refused(world.aios({"run-linux", "--rootfs", world.at("damaged"), "--", "busybox"}), 125, "is damaged");
    const std::string blob = "layout/blobs/sha256/" + digest(world.get(world.at("two.tar")));
    world.put(blob, "x" + world.get(world.at(blob)).substr(1));
    must({"tar", "-C", world.at("layout"), "-cf", container, "."});
    expect_refused(world.aios({"image", "pack", container, "-o", world.at("none")}), 3,
                   "a layer does not match its digest");
    expect_refused(world.aios({"run-linux", "--rootfs", container, "--", "busybox"}), 125, "does not match its digest");
    EXPECT(!std::filesystem::exists(world.at("none")));
}

SCENARIO(compressed_archives_are_the_folder) {
    put_program(world, "tree");
    std::string root;
    for (const auto& [option, name] :
         {std::pair{"--gzip", "tree.tar.gz"}, {"--xz", "tree.tar.xz"}, {"--zstd", "tree.tar.zst"}}) {
        must({"tar", "--format=pax", option, "-C", world.at("tree"), "-cf", world.at(name), "."});
        const auto packed = world.aios({"image", "pack", world.at(name), "-o", world.at("image")});
        EXPECT_SAYING(packed.status == 0, packed.err);
        const std::string own = packed.out.substr(packed.out.find("root "));
        EXPECT_SAYING(root.empty() || own == root, std::string(name));
        root = own;
    }
    const auto folder = world.aios({"image", "pack", world.at("tree"), "-o", world.at("image")});
    EXPECT_SAYING(folder.out.ends_with(root), folder.out);
    expect_run(run_linux(world, {"--rootfs", world.at("tree.tar.zst")}, {"busybox", "echo", "well"}), "well\n");
    expect_refused(world.aios({"run-linux", "--rootfs", world.at("tree.tar.xz")}), 125, "names no program to start");
}

SCENARIO(sources_that_cannot_be_used_are_named) {
    world.put("text", std::string(5000, 'x'));
    world.put("zeros", std::string(3 << 20, '\0'));
    must({"tar", "-C", world.at(""), "-czf", world.at("bomb"), "zeros"});
    std::string cut = world.get(world.at("bomb"));
    world.put("cut", cut.substr(0, cut.size() / 2));
    const std::vector<std::tuple<Words, int, std::string>> wrong = {
        {{world.at("text")}, 3, "is no archive that can be read"},
        {{world.at("cut")}, 3, "is damaged"},
        {{world.at("bomb"), "--unpack-limit", "2"}, 3, "more to unpack than 2 MiB"},
        {{world.at("bomb"), "--unpack-limit", "none"}, 2, "--unpack-limit"},
        {{"debian:"}, 2, "no name of a package"},
        {{"debian:bash,-o"}, 2, "'-o' is no name of a package"},
        {{"npm:./here"}, 2, "'./here' is no name of a package"},
        {{"npm:a,https://x/y"}, 2, "'https://x/y' is no name of a package"},
        {{}, 2, "needs what to pack"},
    };
    for (const auto& [arguments, status, part] : wrong) {
        Words words{"image", "pack", "-o", world.at("image")};
        words.insert(words.end(), arguments.begin(), arguments.end());
        expect_refused(world.aios(words), status, part);
    }
    EXPECT(world.aios({"image", "pack", world.at("bomb"), "-o", world.at("image")}).status == 0);
}

SCENARIO(packages_of_debian_run) {
    const auto packed = world.aios({"image", "pack", "debian:busybox-static,mawk", "-o", world.at("image")});
    if (packed.status == 4 || packed.err.contains("apt cannot find it")) SKIP(packed.err);
    EXPECT_SAYING(packed.status == 0, packed.err);
    expect_run(run_linux(world, {"--rootfs", world.at("image")},
                         {"sh", "-c",
                          "awk 'BEGIN { print 6 * 7 }'; for link in /bin /usr/bin/awk /etc/alternatives/awk; do "
                          "busybox readlink $link; done"}),
               "42\nusr/bin\n/etc/alternatives/awk\n/usr/bin/mawk\n");
    expect_refused(world.aios({"image", "pack", "debian:no-such-package-of-debian", "-o", world.at("none")}), 3,
                   "no-such-package-of-debian");
}

SCENARIO(packages_of_npm_run) {
    const auto packed = world.aios({"image", "pack", "npm:semver@7.6.3", "-o", world.at("image")});
    if (packed.status == 4) SKIP(packed.err);
    EXPECT_SAYING(packed.status == 0, packed.err);
    expect_run(run_linux(world, {"--rootfs", world.at("image")},
                         {"node", "--jitless", "/usr/local/bin/semver", "--range", ">=2", "1.5.0", "2.5.0"}),
               "2.5.0\n");
    expect_refused(world.aios({"image", "pack", "npm:semver@99.99.99", "-o", world.at("none")}), 3, "semver@99.99.99");
}

} // namespace aios::scenario
