// The languages whose words are brought to stems, sets of them, and a guess at the language of a text from its function
// words. A guess may be wrong: a question is read in the languages that its collection was found to be in, so what a
// document was taken for is what its questions are read as, and words that agree to the letter still meet.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aios::memory {

// The numbers stand in indexes: new ones come last.
enum class Language : std::uint8_t { english, german, dutch, swedish, french, spanish, italian, portuguese };
inline constexpr std::array kAllLanguages = {Language::english, Language::german,    Language::dutch,
                                             Language::swedish, Language::french,    Language::spanish,
                                             Language::italian, Language::portuguese};
inline constexpr std::size_t kLanguages = kAllLanguages.size();

constexpr std::size_t index_of(Language language) { return static_cast<std::size_t>(language); }

class LanguageSet {
public:
    constexpr LanguageSet() = default;
    constexpr LanguageSet(Language language) : bits_(static_cast<std::uint16_t>(1U << index_of(language))) {}

    [[nodiscard]] static constexpr LanguageSet all() {
        LanguageSet set;
        set.bits_ = (1U << kLanguages) - 1;
        return set;
    }
    [[nodiscard]] constexpr bool contains(Language language) const { return (bits_ >> index_of(language) & 1) != 0; }
    [[nodiscard]] constexpr bool contains(LanguageSet other) const { return (other.bits_ & ~bits_) == 0; }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    [[nodiscard]] constexpr unsigned size() const { return static_cast<unsigned>(std::popcount(bits_)); }
    constexpr LanguageSet& operator|=(LanguageSet other) {
        bits_ |= other.bits_;
        return *this;
    }
    [[nodiscard]] friend constexpr LanguageSet operator&(LanguageSet a, LanguageSet b) {
        a.bits_ &= b.bits_;
        return a;
    }
    [[nodiscard]] constexpr LanguageSet without(LanguageSet other) const {
        LanguageSet set = *this;
        set.bits_ &= static_cast<std::uint16_t>(~other.bits_);
        return set;
    }
    friend constexpr bool operator==(LanguageSet, LanguageSet) = default;

    template <typename Use>
    constexpr void for_each(Use use) const {
        for (const Language language : kAllLanguages) {
            if (contains(language)) use(language);
        }
    }

private:
    std::uint16_t bits_ = 0;
};

// The language of a document: the one whose function words are most of those found and at least a twentieth of its
// words; English where none is. Looks at kGuessBytes of the text at most, so the time is bounded.
[[nodiscard]] Language guess_language(std::string_view text);

// The language of a short text among `among`; none if its function words do not tell.
[[nodiscard]] std::optional<Language> tell_language(std::string_view text, LanguageSet among);

} // namespace aios::memory
