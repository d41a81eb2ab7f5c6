// The benchmark as a program by itself, without OpenSSL.
#include <string>
#include <vector>

#include "bench/crypto/run.hpp"

int main(int count, char** values) {
    const std::vector<std::string> arguments(values + 1, values + count);
    return aios::bench::run(arguments);
}
