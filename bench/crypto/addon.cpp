// The benchmark as an addon of Node.js (Node-API): require(FILE).run([ARGUMENTS]) returns the exit status. Node is only
// the process that has OpenSSL 3.5 in it.
#include <array>
#include <string>
#include <vector>

#include <node_api.h>

#include "bench/crypto/run.hpp"

namespace {

std::string text_of(napi_env env, napi_value value) {
    std::size_t size = 0;
    if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) return {};
    std::string text(size + 1, '\0');
    if (napi_get_value_string_utf8(env, value, text.data(), text.size(), &size) != napi_ok) return {};
    text.resize(size);
    return text;
}

napi_value run(napi_env env, napi_callback_info info) {
    std::size_t given = 1;
    std::array<napi_value, 1> values{};
    std::uint32_t count = 0;
    std::vector<std::string> arguments;
    if (napi_get_cb_info(env, info, &given, values.data(), nullptr, nullptr) == napi_ok && given == 1 &&
        napi_get_array_length(env, values[0], &count) == napi_ok) {
        for (std::uint32_t i = 0; i < count; ++i) {
            napi_value element = nullptr;
            if (napi_get_element(env, values[0], i, &element) == napi_ok) arguments.push_back(text_of(env, element));
        }
    }
    napi_value status = nullptr;
    napi_create_int32(env, aios::bench::run(arguments), &status);
    return status;
}

} // namespace

NAPI_MODULE_INIT() {
    napi_value function = nullptr;
    if (napi_create_function(env, "run", NAPI_AUTO_LENGTH, run, nullptr, &function) == napi_ok)
        napi_set_named_property(env, exports, "run", function);
    return exports;
}
