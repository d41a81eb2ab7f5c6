// The documents of a run as they were handed in, and the second look at what answers quote from them. The crew has
// checked its quotations itself; the crew is not trusted. What is compared is the text that went into the container
// (UTF-16 and Latin-1 have become UTF-8 there), so a file that changes on disk while the run goes on changes nothing.
//
// A quotation is in its lines if its text stands there to the letter, begins in the first of them and ends in the last.
// Lines are numbered from 1 and end at LF; a CR before it is part of the line. The end of the last line is not quoted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aios::host {

enum class Quotation { verified, no_document, no_lines, other_text };

class PackedDocuments {
public:
    // `inside` is the name below docs/ in the container, by which answers cite; `name` that on the host.
    void add(std::string inside, std::string name, std::string bytes);

    // The name on the host; `inside` itself if no document is called so.
    [[nodiscard]] std::string_view name_of(std::string_view inside) const;

    // Takes time in proportion to the document at the first look at it, afterwards to the lines that are cited.
    [[nodiscard]] Quotation check(std::string_view inside, std::uint64_t first, std::uint64_t last,
                                  std::string_view text);

private:
    struct Document {
        std::string name;
        std::string bytes;
        std::vector<std::size_t> line_ends; // where each line's LF is, or the end of the text; at the first look
    };
    std::map<std::string, Document, std::less<>> documents_; // by name inside
};

// "not in README.md lines 1-1: what was quoted", or why that cannot be: "not in x.txt, which is no document of this
// run: ...". One line, however long the quotation is; empty if that is verified.
[[nodiscard]] std::string describe_misquote(Quotation found, std::string_view file, std::uint64_t first,
                                            std::uint64_t last, std::string_view text);

} // namespace aios::host
