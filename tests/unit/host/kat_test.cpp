// The lines of `aios kat`: what can be read, what is refused and why, one answer a line. That answers are right is the
// algorithms' own tests' business.
#include <set>

#include "tools/aios/kat/row.hpp"
#include "tools/aios/kat/session.hpp"

#include "tests/unit/host/support.hpp"

namespace aios::host::kat {
namespace {

constexpr std::string_view kEmptySha3 = "ok md=a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";

std::vector<std::string> answers(std::initializer_list<std::string_view> pieces) {
    Session session;
    std::vector<std::string> given;
    const auto give = [&](std::string_view text) { given.emplace_back(text); };
    for (const std::string_view piece : pieces)
        session.feed(piece, give);
    session.finish(give);
    return given;
}

TEST(Kat, AnswersALine) {
    EXPECT_EQ(answer("SHA3-256/digest msg="), kEmptySha3);
    EXPECT_EQ(answer("SHAKE128/digest msg= len=4"), "ok md=7f9c2ba4");
    EXPECT_EQ(answer("SHAKE128/digest msg= len=0"), "ok md=");
}

TEST(Kat, BlanksSeparateAndDoNotCount) {
    EXPECT_EQ(answer("  SHA3-256/digest \t msg= \r"), kEmptySha3);
    EXPECT_EQ(answer("SHAKE128/digest len=4 msg="), "ok md=7f9c2ba4");
}

TEST(Kat, TheLastSlashEndsTheName) {
    EXPECT_EQ(answer("SHA2-512/256/digest msg=616263"),
              "ok md=53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23");
    EXPECT_TRUE(answer("SHA2-512/digest msg=").starts_with("ok md=cf83e1357eefb8bd"));
}

TEST(Kat, HexOfBothCases) {
    EXPECT_EQ(answer("SHA3-256/digest msg=abCD"), answer("SHA3-256/digest msg=ABcd"));
    EXPECT_NE(answer("SHA3-256/digest msg=abcd"), answer("SHA3-256/digest msg=abcc"));
}

TEST(Kat, RefusalsSayWhy) {
    const std::vector<std::pair<std::string_view, std::string_view>> wrong = {
        {"", "the line is empty"},
        {" \t\r", "the line is empty"},
        {"SHA3-256", "a line starts with ALGORITHM/operation, not with 'SHA3-256'"},
        {"/digest msg=", "a line starts with ALGORITHM/operation, not with '/digest'"},
        {"SHA3-256/ msg=", "a line starts with ALGORITHM/operation, not with 'SHA3-256/'"},
        {"sha3-256/digest msg=", "there is no algorithm 'sha3-256'; see ./aios kat --help"},
        {"SHA3-256/sign msg=", "SHA3-256 has no operation 'sign'; it has digest"},
        {"SHA3-256/digest", "the field msg is missing"},
        {"SHA3-256/digest msg", "a field has the form name=value, unlike 'msg'"},
        {"SHA3-256/digest =00", "a field has the form name=value, unlike '=00'"},
        {"SHA3-256/digest msg=0", "msg has an odd number of hexadecimal digits, 1"},
        {"SHA3-256/digest msg=0g", "msg has 'g' at 1, which is not a hexadecimal digit"},
        {"SHA3-256/digest msg=0=", "msg has '=' at 1, which is not a hexadecimal digit"},
        {"SHA3-256/digest msg=\x01\xff", "msg has '\\x01' at 0, which is not a hexadecimal digit"},
        {"SHA3-256/digest msg=00 msg=00", "the field msg is there twice"},
        {"SHA3-256/digest msg=00 len=32", "SHA3-256/digest has no field 'len'"},
        {"SHAKE128/digest msg=00", "the field len is missing"},
        {"SHAKE128/digest msg= len=", "len is a decimal number of bytes from 0 to 67108864"},
        {"SHAKE128/digest msg= len=-1", "len is a decimal number of bytes from 0 to 67108864"},
        {"SHAKE128/digest msg= len=0x10", "len is a decimal number of bytes from 0 to 67108864"},
        {"SHAKE128/digest msg= len=67108865", "len is a decimal number of bytes from 0 to 67108864"},
    };
    for (const auto& [line, reason] : wrong)
        EXPECT_EQ(answer(line), std::format("error {}", reason));
}

// A reason is one line of printable text, however odd or long the input.
TEST(Kat, ReasonsArePrintable) {
    const std::string odd = std::string("\0\x1b[2J\xff", 6) + std::string(1000, 'x');
    for (const std::string& line : {odd, odd + "/digest", "SHA3-256/" + odd, "SHA3-256/digest " + odd,
                                    "SHA3-256/digest " + odd + "=", "SHA3-256/digest msg=" + odd}) {
        const std::string said = answer(line);
        EXPECT_TRUE(said.starts_with("error ")) << said;
        EXPECT_LT(said.size(), 200u);
        for (const char c : said)
            EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20) << said;
    }
}

TEST(Kat, ManyFields) {
    std::string line = "SHA3-256/digest";
    for (int i = 0; i < 1000; ++i)
        line += std::format(" f{}=", i);
    EXPECT_EQ(answer(line), "error the line has too many fields");
}

TEST(Kat, RowsAreWhole) {
    std::set<std::string> seen;
    for (const auto& row : all_rows()) {
        EXPECT_TRUE(seen.insert(std::format("{}/{}", row->algorithm, row->operation)).second);
        // No line of the right form but without fields gets further than an error.
        EXPECT_TRUE(answer(std::format("{}/{}", row->algorithm, row->operation)).starts_with("error "));
    }
}

std::string zeros(std::size_t bytes) { return std::string(2 * bytes, '0'); }

// What the test's author chose and got wrong is an error of the line; what an algorithm has to refuse is invalid.
TEST(Kat, WrongLengths) {
    const std::string seed = zeros(32);
    EXPECT_EQ(answer("ML-KEM-768/keygen d=00 z=" + seed), "error d has 1 bytes; ML-KEM-768 takes 32");
    EXPECT_EQ(answer("ML-KEM-768/encaps ek=" + zeros(1183) + " m=" + seed), "invalid");
    EXPECT_EQ(answer("ML-KEM-768/encaps ek=" + zeros(1184) + " m="), "error m has 0 bytes; ML-KEM-768 takes 32");
    EXPECT_EQ(answer("ML-KEM-768/decaps dk=" + zeros(2401) + " c=" + zeros(1088)), "invalid");
    EXPECT_EQ(answer("ML-DSA-44/keygen seed="), "error seed has 0 bytes; ML-DSA-44 takes 32");
    EXPECT_EQ(answer("ML-DSA-44/sign seed=00 msg="), "error seed has 1 bytes; ML-DSA-44 takes 32");
    EXPECT_EQ(answer("ML-DSA-44/sign sk=00 msg="), "invalid");
    EXPECT_EQ(answer("ML-DSA-44/sign seed=" + seed + " msg= rnd=00"), "error rnd has 1 bytes; ML-DSA-44 takes 32");
    EXPECT_EQ(answer("ML-DSA-44/sign seed=" + seed + " msg= ctx=" + zeros(256)), "invalid");
    EXPECT_EQ(answer("ML-DSA-44/sign seed=" + seed + " mu=00"), "invalid");
    EXPECT_EQ(answer("ML-DSA-44/verify pk= msg= sig="), "invalid");
    EXPECT_EQ(answer("SLH-DSA-SHA2-128f/verify pk= msg= sig=" + zeros(17088)), "invalid");
    EXPECT_EQ(answer("SLH-DSA-SHA2-128f/verify pk=" + seed + " msg= sig=" + zeros(17088)), "invalid");
    EXPECT_EQ(answer("SLH-DSA-SHA2-128f/sign sk=" + zeros(63) + " msg="), "invalid");
    EXPECT_EQ(answer("AES-256-GCM/seal key=" + seed + " nonce= msg="), "error nonce has 0 bytes; AES-256-GCM takes 12");
    EXPECT_EQ(answer("AES-256-GCM/open key=" + seed + " nonce= ct= tag=" + zeros(16)), "invalid");
    EXPECT_EQ(answer("AES-256-GCM/open key=" + seed + " nonce=" + zeros(12) + " ct= tag=" + zeros(15)), "invalid");
    EXPECT_EQ(answer("X25519/derive sk=" + seed + " pk=" + zeros(32)), "invalid");
    EXPECT_EQ(answer("HKDF-SHA2-256/derive ikm= len=8160").size(), 7 + 2 * 8160u);
    EXPECT_EQ(answer("HKDF-SHA2-256/derive ikm= len=8161"), "invalid");
}

TEST(Kat, FormsOfAMessage) {
    const std::string sign = "ML-DSA-44/sign seed=" + zeros(32);
    const auto reason = [&](std::string_view fields) { return answer(std::format("{} {}", sign, fields)); };
    EXPECT_EQ(reason(""), "error exactly one of the fields msg and mu has to be there");
    EXPECT_EQ(reason("msg= mu="), "error exactly one of the fields msg and mu has to be there");
    EXPECT_EQ(reason("msg= sk="), "error exactly one of the fields seed and sk has to be there");
    EXPECT_EQ(answer("ML-DSA-44/sign msg="), "error exactly one of the fields seed and sk has to be there");
    EXPECT_EQ(reason("mu=" + zeros(64) + " ctx="), "error mu goes with none of ctx, hash and internal");
    EXPECT_EQ(reason("msg= internal=1 ctx="), "error internal goes with neither ctx nor hash");
    EXPECT_EQ(reason("msg= internal=yes"), "error internal is 0 or 1");
    EXPECT_EQ(reason("msg= hash=MD5"), "error there is no hash 'MD5'");
    EXPECT_EQ(reason("msg= hash="), "error there is no hash ''");
    EXPECT_EQ(answer("SLH-DSA-SHA2-128f/verify pk= mu= sig="), "error SLH-DSA-SHA2-128f/verify has no field 'mu'");
    const std::string plain = reason("msg=");
    EXPECT_TRUE(plain.starts_with("ok sig="));
    EXPECT_EQ(plain, reason("msg= ctx="));
    EXPECT_EQ(plain, reason("msg= internal=0"));
    EXPECT_EQ(plain, reason("msg=0000 internal=1")); // M' of the empty message and context
    EXPECT_NE(plain, reason("msg= ctx=00"));
    EXPECT_EQ(reason("msg= hash=SHAKE128"), reason("msg= hash=SHAKE-128"));
    EXPECT_NE(plain, reason("msg= hash=SHA2-256"));
}

TEST(KatSession, OneAnswerALine) {
    const auto given = answers({"SHA3-256/digest msg=\nfoo\n\nSHA3-256/dig", "est m", "sg=\r\nSHA3-256/digest msg="});
    ASSERT_EQ(given.size(), 5u);
    EXPECT_EQ(given[0], std::string(kEmptySha3) + "\n");
    EXPECT_TRUE(given[1].starts_with("error "));
    EXPECT_EQ(given[2], "error the line is empty\n");
    EXPECT_EQ(given[3], given[0]);
    EXPECT_EQ(given[4], given[0]);
}

TEST(KatSession, NothingGivesNothing) { EXPECT_TRUE(answers({}).empty()); }

TEST(KatSession, AnswersBeforeTheNextLineComes) {
    Session session;
    int count = 0;
    session.feed("SHA3-256/digest msg=\n", [&](std::string_view) { ++count; });
    EXPECT_EQ(count, 1);
}

TEST(KatSession, TooLongALineIsAnsweredAndPassedOver) {
    Session session;
    std::vector<std::string> given;
    const auto give = [&](std::string_view text) { given.emplace_back(text); };
    const std::string piece(1 << 20, '0');
    session.feed("SHA3-256/digest msg=", give);
    for (std::size_t sent = 0; sent <= kMaxLine; sent += piece.size())
        session.feed(piece, give);
    EXPECT_TRUE(given.empty());
    session.feed("\nSHA3-256/digest msg=\n", give);
    ASSERT_EQ(given.size(), 2u);
    EXPECT_EQ(given[0], std::format("error the line is longer than {} characters\n", kMaxLine));
    EXPECT_EQ(given[1], std::string(kEmptySha3) + "\n");
}

TEST(Kat, AFieldBeyondTheLimit) {
    const std::string line = "SHA3-256/digest msg=" + std::string(2 * kMaxMessage + 2, '0');
    EXPECT_EQ(answer(line), std::format("error msg is longer than {} bytes", kMaxMessage));
}

} // namespace
} // namespace aios::host::kat
