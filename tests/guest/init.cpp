#include "runtime/kernel/console.hpp"
using namespace aios;
int aios_main(const StartupBlock& startup) {
    console_handle = find_handle(startup, StartupRole::console);
    console_print("TEST first pass, {} handles\n", startup.count);
    return 0;
}
