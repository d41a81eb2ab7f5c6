// aios-abigen FILE...: writes pages of docs/reference/, calls.md or messages.md. Run it after a change of abi/*.def:
// build/debug/tools/abigen/aios-abigen docs/reference/calls.md docs/reference/messages.md
#include <cstdio>
#include <fstream>
#include <string_view>

#include "tools/abigen/messages.hpp"
#include "tools/abigen/reference.hpp"

int main(int count, char** arguments) {
    if (count < 2) {
        std::fputs("usage: aios-abigen FILE...\n", stderr);
        return 2;
    }
    for (int i = 1; i < count; ++i) {
        const bool is_messages = std::string_view(arguments[i]).ends_with("messages.md");
        std::ofstream out(arguments[i], std::ios::binary);
        out << (is_messages ? aios::abigen::message_reference() : aios::abigen::call_reference());
        out.close();
        if (!out) {
            std::fprintf(stderr, "%s cannot be written\n", arguments[i]);
            return 3;
        }
    }
    return 0;
}
