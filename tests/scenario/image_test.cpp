// `./aios image`: from a folder to a file, and what is said of those that cannot be used.
#include <format>

#include "tests/scenario/scenario.hpp"

namespace aios::scenario {

SCENARIO(a_folder_becomes_an_image_and_is_shown) {
    world.put("tree/bin/tool", "#!/bin/sh\n");
    world.put("tree/note", "text");
    std::filesystem::permissions(world.at("tree/bin/tool"), std::filesystem::perms(0751));
    std::filesystem::create_symlink("bin/tool", world.at("tree/link"));
    const std::string image = world.at("image");
    const auto packed = world.aios({"image", "pack", world.at("tree"), "-o", image});
    EXPECT_SAYING(packed.status == 0, packed.err);
    const auto root = packed.out.substr(packed.out.find("root "));
    const auto verified = world.aios({"image", "verify", image});
    EXPECT_SAYING(verified.status == 0 && verified.out.ends_with(root), verified.err + verified.out);
    const auto archived = host::capture_process(
        {"tar", "--format=pax", "-C", world.at("tree"), "-cf", world.at("tree.tar"), "."}, std::chrono::minutes(1));
    EXPECT_SAYING(archived.status == 0, archived.err);
    const auto again = world.aios({"image", "pack", world.at("tree.tar"), "-o", world.at("again")});
    EXPECT_SAYING(again.status == 0, again.err);
    EXPECT(world.get(world.at("again")) == world.get(image));
    const auto shown = world.aios({"image", "inspect", image});
    EXPECT_SAYING(shown.status == 0, shown.err);
    EXPECT_SAYING(shown.out.contains("-rwxr-x--x           10 "), shown.out);
    EXPECT_SAYING(shown.out.contains(" link -> bin/tool\n"), shown.out);

    std::string bytes = world.get(image);
    const auto text = bytes.find("#!/bin/sh");
    EXPECT(text != std::string::npos);
    bytes[text] = '%';
    world.put("damaged", bytes);
    const auto damaged = world.aios({"image", "verify", world.at("damaged")});
    EXPECT_SAYING(damaged.status == 3, std::format("status {}", damaged.status));
    EXPECT_SAYING(damaged.err.contains("page 0 of 'bin/tool' does not match its hash"), damaged.err);
}

SCENARIO(what_is_no_image_is_refused_in_one_sentence) {
    world.put("file", "text");
    world.put("empty", "");
    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
        {{"image", "pack", world.at("nowhere"), "-o", world.at("image")}, "No such file"},
        {{"image", "pack", world.at("file"), "-o", world.at("image")}, "is no archive that can be read"},
        {{"image", "verify", world.at("nowhere")}, "nowhere"},
        {{"image", "verify", world.at("file")}, "not an image"},
        {{"image", "inspect", world.at("empty")}, "not an image"},
    };
    for (const auto& [arguments, part] : wrong) {
        const auto done = world.aios(arguments);
        EXPECT_SAYING(done.status == 3, std::format("{}: status {}", part, done.status));
        EXPECT_SAYING(done.err.starts_with("aios: ") && done.err.find('\n') == done.err.size() - 1, done.err);
        EXPECT_SAYING(done.err.contains(part), done.err);
    }
    EXPECT(!std::filesystem::exists(world.at("image")));
}

} // namespace aios::scenario
