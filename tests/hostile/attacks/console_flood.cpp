// Text to the console as fast as it goes.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "console_flood");
    static char text[32768];
    for (char& c : text)
        c = '.';
    for (;; attack.count())
        (void)sys::console_write(console_handle, text, sizeof(text));
}
