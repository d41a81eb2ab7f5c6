// Encodings of documents: what a file that is not UTF-8 most likely is, and its text as UTF-8. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace aios::host {

enum class Encoding { as_it_is, utf16_little, utf16_big, latin1 };

// UTF-16: a byte order mark, or, without one, an even number of bytes of which nearly every second one is NUL, as in
// text of Latin letters. Latin-1 (in its form windows-1252): bytes above 127, none of which is part of a UTF-8
// character; one such character, and the file is UTF-8 with some damage, which stays as it is.
[[nodiscard]] Encoding guess_encoding(std::string_view bytes);

[[nodiscard]] std::string_view encoding_name(Encoding encoding); // "UTF-16"

// What cannot be converted (half a surrogate pair, an unused byte) becomes U+FFFD. A byte order mark is left out.
[[nodiscard]] std::string convert_to_utf8(std::string_view bytes, Encoding from);

} // namespace aios::host
