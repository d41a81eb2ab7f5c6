// Taking in any bytes as documents and asking any bytes as a question: the input is cut at byte 0x1e into documents,
// the last of which is also the question; every other one is a table of separated values. The index opens and verifies,
// keeps every document to the letter, and each passage found lies in the lines that it cites.
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "runtime/memory/index_builder.hpp"
#include "runtime/memory/passages.hpp"
#include "runtime/memory/search.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aios;
    std::vector<std::string> texts(1);
    for (std::size_t i = 0; i < size; ++i) {
        if (data[i] == 0x1e) {
            texts.emplace_back();
        } else {
            texts.back().push_back(static_cast<char>(data[i]));
        }
    }
    memory::IndexBuilder builder;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        AIOS_ASSERT(builder.add(std::to_string(i) + (i % 2 == 0 ? "" : ".csv"), as_bytes(texts[i])).has_value());
    }
    std::vector<std::uint64_t> words(builder.sealed_bytes() / 8);
    const MutableBytes region = std::as_writable_bytes(std::span(words));
    AIOS_ASSERT(builder.seal(region).value_or(0) == region.size());
    const auto view = memory::IndexView::open(region);
    AIOS_ASSERT(view.has_value());
    AIOS_ASSERT(view->verify().has_value());
    AIOS_ASSERT(view->documents() == texts.size());
    for (std::uint32_t i = 0; i < texts.size(); ++i)
        AIOS_ASSERT(view->document_text(i) == texts[i]);

    const auto answer = memory::search(*view, texts.back());
    if (!answer) return 0;
    AIOS_ASSERT(answer->answered == (answer->confidence >= 0.5));
    for (const memory::FoundPassage& passage : answer->passages) {
        const std::string& text = texts[std::stoul(passage.file)];
        AIOS_ASSERT(memory::lines_of(text, passage.first, passage.last).contains(passage.text));
    }
    return 0;
}
