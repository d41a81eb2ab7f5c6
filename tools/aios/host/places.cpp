#include "tools/aios/host/places.hpp"

#include <cstdlib>

namespace aios::host {

Outcome<Places> find_places() {
    std::error_code error;
    // build/<preset>/tools/aios/aios-host
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    Places places;
    places.build = self.parent_path().parent_path().parent_path();
    places.root = places.build.parent_path().parent_path();
    if (const char* root = std::getenv("AIOS_ROOT"); root != nullptr && *root != '\0') {
        places.root = root;
        const char* preset = std::getenv("AIOS_PRESET");
        if (preset != nullptr && *preset != '\0') places.build = places.root / "build" / preset;
    }
    if (!std::filesystem::exists(places.root / "CMakeLists.txt", error))
        return failure(Exit::host_missing, "the folder of AIOS was not found; call this program by ./aios.");
    return places;
}

} // namespace aios::host
