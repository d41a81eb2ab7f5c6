// Documents and questions in several languages: what language a text is taken for, and what inflected questions find.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/memory/language.hpp"
#include "runtime/memory/question.hpp"
#include "tests/unit/memory/support.hpp"

namespace aios::memory {
namespace {

using test::Documents;

// The answer's first cited passage: its file, or "" if there is no answer.
std::string answering_file(const Documents& documents, std::string_view question) {
    const test::Region region = test::sealed(documents);
    const auto answer = search(IndexView::open(region.view()).value(), question);
    if (!answer || !answer->answered) return "";
    return answer->passages[answer->cited[0]].file;
}

std::string best_file(const Documents& documents, std::string_view question) {
    const test::Region region = test::sealed(documents);
    const auto answer = search(IndexView::open(region.view()).value(), question);
    return answer && !answer->passages.empty() ? answer->passages[0].file : "";
}

const Documents kGerman = {
    {"takt.txt", "Eine Zeitscheibe dauert vier Millisekunden."},
    {"kessel.txt", "Der kupferne Kessel fasst zwei Liter Wasser.\nIhn hat ein Schmied in Lissabon hergestellt."},
    {"turm.txt", "Der Leuchtturm wurde aus Granit gebaut.\nSeine Lampe dreht sich alle zwölf Sekunden."},
    {"bienen.txt", "Die Bienenstöcke stehen an der südlichen Mauer.\nHonig wird im Juni und im August geerntet."},
};
const Documents kEnglish = {
    {"slice.txt", "A time slice lasts for four milliseconds."},
    {"kettle.txt", "The copper kettle holds two litres of water.\nIt was made by a smith in Lisbon."},
    {"lighthouse.txt", "The lighthouse was built of granite.\nIts lamp turns once every twelve seconds."},
    {"bees.txt", "The hives stand along the south wall.\nHoney is taken twice, in June and in August."},
};
const Documents kFrench = {
    {"tranche.txt", "Une tranche de temps dure quatre millisecondes."},
    {"chaudron.txt",
     "Le chaudron de cuivre contient deux litres d’eau.\nIl a été fabriqué par un forgeron de Lisbonne."},
    {"phare.txt", "Le phare a été bâti en granit.\nSa lampe tourne une fois toutes les douze secondes."},
    {"abeilles.txt", "Les ruches se trouvent le long du mur.\nLe miel est récolté en juin et à la fin du mois d'août."},
};
const Documents kSpanish = {
    {"turno.txt", "Un turno del procesador dura cuatro milisegundos."},
    {"caldera.txt", "La caldera de cobre contiene dos litros de agua.\nLa fabricó un herrero de Lisboa."},
    {"faro.txt", "El faro fue construido con granito.\nSu lámpara gira una vez cada doce segundos."},
    {"abejas.txt", "Las colmenas están junto al muro del sur.\nLa miel se recoge en junio y en agosto."},
};

Documents together(std::initializer_list<Documents> parts) {
    Documents all;
    for (const Documents& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

TEST(Language, IsGuessedFromFunctionWords) {
    const std::vector<std::pair<Language, Documents>> collections = {{Language::german, kGerman},
                                                                     {Language::english, kEnglish},
                                                                     {Language::french, kFrench},
                                                                     {Language::spanish, kSpanish}};
    for (const auto& [language, documents] : collections) {
        for (const auto& [name, text] : documents)
            EXPECT_EQ(guess_language(text), language) << name;
    }
    EXPECT_EQ(guess_language("De vuurtoren is van graniet gebouwd. De lamp draait elke twaalf seconden een keer rond."),
              Language::dutch);
    EXPECT_EQ(guess_language("Fyren byggdes av granit. Lampan vrider sig ett varv var tolfte sekund, och det syns."),
              Language::swedish);
    EXPECT_EQ(guess_language("Il faro è stato costruito con il granito. La sua lampada gira ogni dodici secondi."),
              Language::italian);
    EXPECT_EQ(guess_language("O farol foi construído em granito. A sua lâmpada gira uma vez a cada doze segundos."),
              Language::portuguese);
}

TEST(Language, IsEnglishWhereNothingTells) {
    for (const char* text : {"", "\n\n", "x = a * b + c", "int main(int argc, char** argv) { return run(argc); }",
                             "{\"lines\": [1, 2, 3], \"values\": [4, 5]}", "Latarnia morska stoi na skale",
                             "Die casting", "\xff\xfe\xc3\xc3\xe9", "Маяк построен из гранита"})
        EXPECT_EQ(guess_language(text), Language::english) << text;
    // One function word among many others is a name or a quotation.
    std::string names;
    for (int i = 0; i < 40; ++i)
        names += "Meier" + std::to_string(i) + " ";
    EXPECT_EQ(guess_language(names + "und"), Language::english);
}

TEST(Language, OfALongTextIsThatOfMostOfIt) {
    std::string german;
    while (german.size() < 200'000)
        german += "Der Leuchtturm wurde nicht aus Granit gebaut, sondern aus einem anderen Gestein. ";
    std::string licence;
    while (licence.size() < 6'000)
        licence += "This is the licence of the text that follows, and it is written in English. ";
    EXPECT_EQ(guess_language(licence + german), Language::german);
    // Pieces that begin within a character or a word do no harm.
    std::string umlauts;
    while (umlauts.size() < 100'000)
        umlauts += "für über ";
    EXPECT_EQ(guess_language(umlauts), Language::german);
}

TEST(Language, OfAQuestionIsOneOfTheCollection) {
    LanguageSet both = Language::english;
    both |= Language::german;
    EXPECT_EQ(tell_language("Wie lange dauern die Zeitscheiben?", both), Language::german);
    EXPECT_EQ(tell_language("What is a Zeitscheibe?", both), Language::english);
    EXPECT_EQ(tell_language("Zeitscheibe", both), std::nullopt);
    EXPECT_EQ(tell_language("Wie lange dauern die Zeitscheiben?", Language::english), std::nullopt);
}

TEST(Languages, InflectedQuestionsFindInflectedText) {
    EXPECT_EQ(answering_file(kGerman, "Wie lange dauern die Zeitscheiben?"), "takt.txt");
    EXPECT_EQ(answering_file(kGerman, "Woraus bauten sie den Leuchtturm, aus Granit?"), "turm.txt");
    EXPECT_EQ(answering_file(kGerman, "Wo steht der Bienenstock?"), "bienen.txt");
    EXPECT_EQ(answering_file(kGerman, "WIE VIELE LITER FASST DER KESSEL?"), "kessel.txt");
    EXPECT_EQ(answering_file(kFrench, "Combien de litres contiennent les chaudrons ?"), "chaudron.txt");
    EXPECT_EQ(answering_file(kFrench, "Quand récolte-t-on le miel des abeilles ?"), "abeilles.txt");
    EXPECT_EQ(answering_file(kSpanish, "¿Cuántos litros contienen las calderas?"), "caldera.txt");
    EXPECT_EQ(answering_file(kSpanish, "¿Cuándo se recogen las mieles?"), "abejas.txt");
    EXPECT_EQ(answering_file(kEnglish, "How long do time slices last?"), "slice.txt");
    // Of another subject.
    EXPECT_EQ(answering_file(kGerman, "Welches Parlament ratifizierte den Fischereivertrag mit Island?"), "");
    EXPECT_EQ(answering_file(kFrench, "Quel parlement a ratifié le traité de pêche avec l'Islande ?"), "");
    EXPECT_EQ(answering_file(kSpanish, "¿Qué parlamento ratificó el tratado de pesca con Islandia?"), "");
}

TEST(Languages, StandSideBySideInOneCollection) {
    const Documents all = together({kEnglish, kGerman, kFrench, kSpanish});
    EXPECT_EQ(answering_file(all, "Wie lange dauern die Zeitscheiben?"), "takt.txt");
    EXPECT_EQ(answering_file(all, "How long do time slices last?"), "slice.txt");
    EXPECT_EQ(answering_file(all, "In welchem Monat wird der Honig geerntet?"), "bienen.txt");
    EXPECT_EQ(answering_file(all, "When is the honey taken?"), "bees.txt");
    EXPECT_EQ(answering_file(all, "Combien de litres contiennent les chaudrons ?"), "chaudron.txt");
    EXPECT_EQ(answering_file(all, "¿Cuántos litros contienen las calderas?"), "caldera.txt");
    EXPECT_EQ(answering_file(all, "Which parliament ratified the fisheries treaty with Iceland?"), "");
    EXPECT_EQ(answering_file(all, "Welches Parlament ratifizierte den Fischereivertrag mit Island?"), "");
}

// What other documents there are changes nothing in how an English one is read.
TEST(Languages, LeaveEnglishReadingsAlone) {
    const Question alone = parse_question("What does the scheduler do with the dying threads of the agent?");
    const Question beside =
        parse_question("What does the scheduler do with the dying threads of the agent?", LanguageSet::all());
    std::vector<std::string> first;
    std::vector<std::string> second;
    for (const Question::Stem& stem : alone.stems)
        first.push_back(stem.text);
    for (const Question::Stem& stem : beside.stems)
        if (stem.languages.contains(Language::english)) second.push_back(stem.text);
    EXPECT_EQ(first, second);
    ASSERT_EQ(alone.grams.size(), beside.grams.size());
    for (std::size_t i = 0; i < alone.grams.size(); ++i)
        EXPECT_EQ(alone.grams[i].key, beside.grams[i].key);
    // And what two readings share stands once.
    for (std::size_t i = 0; i < beside.stems.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            EXPECT_FALSE(beside.stems[i].text == beside.stems[j].text &&
                         !(beside.stems[i].languages & beside.stems[j].languages).empty());
}

// A text that is taken for another language is found all the same: its questions are misread as it was.
TEST(Languages, AWrongGuessDoesNotHideAText) {
    const Documents mistaken = together({{{"titel.txt", "Zeitscheiben und Speicherseiten, vier Millisekunden"},
                                          {"label.txt", "Zeitmarke Speicherseite Adressraum"}},
                                         kEnglish});
    EXPECT_EQ(guess_language("Zeitmarke Speicherseite Adressraum"), Language::english);
    EXPECT_EQ(answering_file(mistaken, "Was ist ein Adressraum?"), "label.txt");
    EXPECT_EQ(best_file(mistaken, "Adressräume und Zeitmarken"), "label.txt");
    // An English list of names that looks Spanish.
    const Documents names = together({{{"names.txt", "Los Alamos, Las Cruces, El Paso: weather stations"}}, kEnglish});
    EXPECT_EQ(guess_language(names[0].second), Language::spanish);
    EXPECT_EQ(answering_file(names, "Where are the weather stations?"), "names.txt");
}

TEST(Languages, ThatAreNotSupportedAreFoundByWordsAndGrams) {
    const Documents all =
        together({{{"pl.txt", "Latarnia morska została zbudowana z granitu.\nLampa obraca się co dwanaście sekund."},
                   {"fi.txt", "Majakka rakennettiin graniitista. Lamppu pyörii kahdentoista sekunnin välein."},
                   {"ru.txt", "Маяк построен из гранита. Лампа вращается каждые двенадцать секунд."},
                   {"zh.txt", "灯塔由花岗岩建成。灯每十二秒转一圈。"}},
                  kEnglish});
    EXPECT_EQ(answering_file(all, "latarnia morska lampa"), "pl.txt");
    EXPECT_EQ(best_file(all, "Z czego zbudowano latarnię?"), "pl.txt");
    EXPECT_EQ(answering_file(all, "majakka lamppu"), "fi.txt");
    EXPECT_EQ(answering_file(all, "МАЯК ГРАНИТА"), "ru.txt");
    EXPECT_EQ(answering_file(all, "灯塔"), "zh.txt");
}

TEST(Languages, SurviveMalformedText) {
    const Documents odd = together({{{"a.txt", "Der Kessel \xff\xfe fasst \xc3 zwei Liter und ist f\xc3\xbcr den Tee."},
                                     {"b.txt", "\xed\xa0\x80 \xf5\x80 und der die das \xe2\x82"}},
                                    kEnglish});
    EXPECT_EQ(answering_file(odd, "Wie viele Liter fassen die Kessel \xff\xc3?"), "a.txt");
    std::string repeated;
    while (repeated.size() < kMaxQuestionBytes - 16)
        repeated += "Kessel fassen ";
    EXPECT_EQ(best_file(odd, repeated), "a.txt");
    const std::string word(100'000, 'z');
    EXPECT_EQ(answering_file(odd, word), "");
}

TEST(Languages, LettersAreTheSameInEitherCaseAndForm) {
    const Documents texts =
        together({{{"a.txt", "Die Größe der Straße und die Länge des Flusses sind in Äckern gemessen."},
                   {"b.txt", "Das Cafe\u0301 am Markt ist für seine Kuchen bekannt."}},
                  kEnglish});
    EXPECT_EQ(answering_file(texts, "Wie lang sind die STRASSEN?"), "a.txt");
    EXPECT_EQ(answering_file(texts, "Was ist ein ÄCKER?"), "a.txt");
    EXPECT_EQ(answering_file(texts, "Wofür ist das CAFÉ bekannt?"), "b.txt");
}

} // namespace
} // namespace aios::memory
