// A changed byte in the boot bundle stops what touches it, with a message that names entry and page.
#include <algorithm>
#include <cstring>
#include <format>

#include "abi/call_types.hpp"
#include "boot/container.hpp"
#include "boot/manifest.hpp"
#include "tests/scenario/scenario.hpp"

namespace aios::scenario {

namespace {

host::Captured host_program(const World& world, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), (world.root / "build" / "release" / "tools" / "aios" / "aios-host").native());
    return host::capture_process(arguments, std::chrono::minutes(3));
}

// Whether the output of `boot` shows an audit record (abi/messages.cddl section 5) that has all these parts, in
// hexadecimal.
bool shows_record(std::string_view out, std::initializer_list<std::string_view> parts) {
    for (std::size_t at = out.find("h'a"); at != out.npos; at = out.find("h'a", at + 1)) {
        const std::string_view record = out.substr(at, out.find('\'', at + 2) - at);
        if (std::ranges::all_of(parts, [&](std::string_view part) { return record.contains(part); })) return true;
    }
    return false;
}

} // namespace

SCENARIO(a_changed_byte_in_the_bundle_is_named) {
    const auto made = host_program(world, {"container", "--out", world.at("container")});
    EXPECT_SAYING(made.status == 0, made.err);
    std::string container = world.get(world.at("container"));
    boot::ContainerHeader header;
    std::memcpy(&header, container.data(), sizeof header);
    // The first program's first page is touched in every run.
    const auto& section = header.sections[boot::kSectionBoot];
    boot::ManifestHeader manifest;
    std::memcpy(&manifest, container.data() + section.manifest_offset, sizeof manifest);
    EXPECT(manifest.first_program < manifest.nodes);
    boot::ManifestNode program;
    std::memcpy(&program,
                container.data() + section.manifest_offset + sizeof manifest + manifest.first_program * sizeof program,
                sizeof program);
    const std::uint64_t page = program.first;
    container[section.data_offset + page * kPageBytes + 100] ^= 1;
    world.put("changed", container);
    const auto booted = host_program(world, {"boot", "--container", world.at("changed"), "--timeout", "60"});
    EXPECT_SAYING(booted.status == 5, std::format("status {}", booted.status));
    EXPECT_SAYING(booted.out.find("bin/initd") != std::string::npos, booted.out.substr(0, 500));
    EXPECT_SAYING(booted.out.find("page 0") != std::string::npos, booted.out.substr(0, 500));
    // Kind 7, page 0, and the end of the path.
    EXPECT_SAYING(shows_record(booted.out, {"0207", "06830000", "096962696e2f696e697464"}), booted.out);
}

SCENARIO(a_changed_byte_in_the_manifest_is_refused) {
    const auto made = host_program(world, {"container", "--out", world.at("container")});
    EXPECT_SAYING(made.status == 0, made.err);
    std::string container = world.get(world.at("container"));
    boot::ContainerHeader header;
    std::memcpy(&header, container.data(), sizeof header);
    container[header.sections[0].manifest_offset + header.sections[0].manifest_bytes / 2] ^= 1;
    world.put("changed", container);
    const auto booted = host_program(world, {"boot", "--container", world.at("changed"), "--timeout", "60"});
    EXPECT_SAYING(booted.status == 5, std::format("status {}", booted.status));
    EXPECT_SAYING(booted.out.find("manifest") != std::string::npos, booted.out.substr(0, 500));
}

} // namespace aios::scenario
