// aios-abigen FILE: writes the call reference. Run it after a change of abi/*.def: build/debug/tools/abigen/aios-abigen
// docs/reference/calls.md
#include <cstdio>
#include <fstream>

#include "tools/abigen/reference.hpp"

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: aios-abigen FILE\n", stderr);
        return 2;
    }
    std::ofstream out(arguments[1], std::ios::binary);
    out << aios::abigen::call_reference();
    out.close();
    if (!out) {
        std::fprintf(stderr, "%s cannot be written\n", arguments[1]);
        return 3;
    }
    return 0;
}
