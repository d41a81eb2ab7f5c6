// `aios kat`: becomes the program aios-kat beside this one (kat_main.cpp).
#include <string>
#include <vector>

#include "tools/aios/commands.hpp"
#include "tools/aios/host/become.hpp"

namespace aios::host {

Outcome<Exit> command_kat(const Places& places, ArgumentList arguments) {
    std::vector<std::string> command = {(places.build / "tools" / "aios" / "aios-kat").native()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return std::unexpected(become(command));
}

} // namespace aios::host
