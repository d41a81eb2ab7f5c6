#include "tests/linux/test.hpp"

#include <filesystem>
#include <sys/utsname.h>

namespace linux_test {

namespace {

Test* first = nullptr;
Test** last = &first;

} // namespace

Test::Test(const char* test_name, void (*test_body)()) : name(test_name), body(test_body) {
    *last = this;
    last = &next;
}

int run_all(const char* program_name) {
    program = program_name;
    for (const Test* test = first; test != nullptr; test = test->next)
        run(test->name, test->body);
    return finish();
}

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
