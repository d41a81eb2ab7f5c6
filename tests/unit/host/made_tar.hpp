// Tar archives as tests need them: entry by entry, as POSIX has them, whatever they say.
#pragma once

#include <format>
#include <string>
#include <string_view>
#include <vector>

namespace aios::host {

// A header with its contents.
struct Piece {
    std::string name;
    char type = '0';
    std::string contents = {};
    std::string target = {};
    std::string modified = "14524615400"; // 1,699,945,216
    std::string mode = "0000644";
    std::string size = {}; // unless given: that of the contents
};

inline std::string tar_header(const Piece& piece) {
    std::string block(512, '\0');
    const auto put = [&](std::size_t at, std::string_view text) { text.copy(block.data() + at, text.size()); };
    put(0, piece.name);
    put(100, piece.mode);
    put(124, piece.size.empty() ? std::format("{:011o}", piece.contents.size()) : piece.size);
    put(136, piece.modified);
    block[156] = piece.type;
    put(157, piece.target);
    put(257, std::string_view("ustar\00000", 8));
    put(148, "        ");
    unsigned sum = 0;
    for (const char byte : block)
        sum += static_cast<unsigned char>(byte);
    put(148, std::format("{:06o}", sum));
    block[154] = '\0';
    return block;
}

inline std::string made_tar(const std::vector<Piece>& pieces) {
    std::string all;
    for (const Piece& piece : pieces) {
        all += tar_header(piece) + piece.contents;
        all.resize((all.size() + 511) / 512 * 512);
    }
    return all + std::string(1024, '\0');
}

// A record of an extended header of pax.
inline std::string pax_record(std::string_view key, std::string_view value) {
    std::size_t length = key.size() + value.size() + 3;
    length += std::to_string(length + std::to_string(length).size()).size();
    return std::format("{} {}={}\n", length, key, value);
}

} // namespace aios::host
