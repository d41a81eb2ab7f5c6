#include "tests/linux/test.hpp"

#include <filesystem>
#include <sys/utsname.h>

namespace linux_test {

bool on_aios() {
    utsname name{};
    return uname(&name) == 0 && std::strstr(name.version, "AIOS") != nullptr;
}

TestFolder::TestFolder() {
    std::string text = "/tmp/aios-test-" + std::to_string(getpid());
    std::filesystem::create_directory(text);
    root_ = text;
}
TestFolder::~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
}

} // namespace linux_test
