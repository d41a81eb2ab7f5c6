// English: see word_lists.hpp.
#include "runtime/memory/word_lists.hpp"

namespace aios::memory {

const WordLists kEnglishWords = {
    // function words
    "about above across after again against all almost along already also although always am among an and "
    "another any anybody anyone anything are aren around as at away be because been before behind being below "
    "beside besides between beyond both but by can cannot could couldn did didn do does doesn doing don done "
    "down during each either else ever every everyone everything few for from further had hadn has hasn have "
    "haven having he hence her here hers herself him himself his how however if in indeed instead into is isn "
    "it its itself just least less let ll many may maybe me might mine more moreover most much must my myself "
    "neither never no nobody none nor not nothing now of off often on once one only onto or other others "
    "otherwise ought our ours ourselves out over own per perhaps please quite rather re really same shall she "
    "should shouldn since so some somebody someone something sometimes somewhat soon still such than that the "
    "their theirs them themselves then there thereby therefore these they this those though through throughout "
    "thus to together too toward towards under unless until up upon us ve very via was wasn we were weren what "
    "whatever when whenever where whereas whereby wherever whether which while who whoever whole whom whose "
    "why will with within without won would wouldn yes yet you your yours yourself",
    // words of any subject
    "able accomplish account achieve act actual add affect aim allow amount analyse answer appear apply "
    "application approach appropriate article ask available basic basis become begin behave best better big "
    "bring calculate call carry case cause certain change choose clear come common compare complete concern "
    "condition consider consist contain correct current data deal decide define depend describe description "
    "detail detect determine develop differ different difference difficult discover discuss divide document "
    "easy effect efficient employ end ensure enough especially estimate evaluate example exist expect explain "
    "extent fact factor far feature find first follow form formal found full general get give given go good "
    "great guide handle happen help hold idea important include indicate influence information interest "
    "introduce investigate investigation involve issue keep kind know known large last later lead learn leave "
    "like list little long look main make manner matter mean means measure meet method mind name nature near "
    "necessary need new normal number observe obtain occur old order paper part particular people perform "
    "permit place play point possible practical practice predict present previous problem procedure produce "
    "progress proper propose prove provide purpose put question quick range report maximum minimum size twice "
    "total length external internal reason recent regard relate relation relative require research respect "
    "result right role run say second see seem several show significant similar simple single small solve sort "
    "specific start state step stop study suggest suitable support take technique tell thing think time treat "
    "true try turn two type understand use useful usual valid value various want way well word work write "
    "wrong",
};

} // namespace aios::memory
