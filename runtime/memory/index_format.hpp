// How an index lies in its region. Everything is an offset from the start of the region, so a region may be mapped at
// any address. Numbers are little endian; records are plain structs copied in and out.
//
//   Lead | Header | names | text | documents | passages | term strings | terms | grams | postings | vectors of terms,
//   passages, documents
//
// The lead's sequence number is odd while a build writes and moves by two with each build: a reader that searches in
// place looks at it before and after, and repeats if it moved. The header has a checksum; the body has one too, for who
// wants to pay for it. No reader relies on either for its own safety: each access is checked against the bounds that
// were read once when the index was opened.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/memory/tables.hpp"

namespace aios::memory {

inline constexpr std::uint64_t kIndexMagic = 0x3158'444e'4953'4f41; // "AOSINDX1"
inline constexpr std::uint32_t kIndexVersion = 2;

struct Lead {
    std::uint64_t magic;
    std::uint64_t sequence;
};

enum class SectionId : std::uint32_t {
    names,
    text,
    documents,
    passages,
    term_strings,
    terms,
    grams,
    postings,
    term_vectors,
    passage_vectors,
    document_vectors,
};
inline constexpr std::size_t kSectionCount = 11;

struct Section {
    std::uint64_t offset; // bytes from the start of the region, a multiple of 8
    std::uint64_t bytes;
};

struct Header {
    std::uint32_t version;
    std::uint32_t header_bytes; // sizeof(Lead) + sizeof(Header)
    std::uint64_t total_bytes;  // from the start of the region to the end of the last section
    std::uint32_t documents;
    std::uint32_t passages;
    std::uint32_t terms;
    std::uint32_t grams;
    std::uint32_t dimensions;  // of the vectors; 0: the collection is too small for them
    std::uint32_t body_crc;    // CRC-32C of what follows the header
    std::uint64_t stem_tokens; // in all passages
    std::uint64_t gram_tokens;
    std::array<Section, kSectionCount> sections;
    std::uint32_t reserved;   // zero
    std::uint32_t header_crc; // CRC-32C of the header up to here
};
static_assert(sizeof(Header) == 56 + 16 * kSectionCount + 8, "no padding in the header");

struct DocumentRecord {
    std::uint64_t text_offset; // in the text section
    std::uint32_t text_bytes;
    std::uint32_t name_offset; // in the names section
    std::uint32_t name_bytes;
    std::uint32_t first_passage;
    std::uint32_t passages;
    std::uint32_t stem_tokens;
    std::uint32_t gram_tokens;
    std::uint32_t language; // a Language
};
static_assert(sizeof(DocumentRecord) == 40);

struct PassageRecord {
    std::uint32_t document;
    std::uint32_t offset; // bytes from the start of the document's text
    std::uint32_t bytes;
    std::uint32_t first; // line
    std::uint32_t last;
    std::uint32_t stem_tokens;
    std::uint32_t gram_tokens;
    TableHead head; // of the table in the middle of which the passage begins
};
static_assert(sizeof(PassageRecord) == 44);

// A term or a 4-gram: its posting list and how many passages and documents hold it. Sorted by string, by key.
struct ListRecord {
    std::uint64_t offset; // in the postings section
    std::uint32_t bytes;
    std::uint32_t passages;
    std::uint32_t documents;
    std::uint32_t key;       // a term's offset in the term strings; a gram's four bytes
    std::uint32_t key_bytes; // a term's length; 4
    std::uint32_t vector;    // a term's vector in the section of term vectors; kNoVector if it has none
};
inline constexpr std::uint32_t kNoVector = UINT32_MAX;
static_assert(sizeof(ListRecord) == 32);

} // namespace aios::memory
