// Text to the program's console, for programs without a C library. Programs with one use stdout, which leads to the
// same place.
#pragma once

#include "base/format.hpp"
#include "runtime/kernel/startup.hpp"

namespace aios {

// Where console_print writes; set once at the start. kNoHandle: nowhere.
inline Handle console_handle = kNoHandle;

inline void console_write_text(std::string_view text) {
    if (console_handle != kNoHandle)
        (void)sys::console_write(console_handle, text.data(), text.size()); // output may be limited
}

template <typename... Args>
void console_print(FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
    char buffer[512];
    console_write_text(format_to(buffer, format, args...));
}

} // namespace aios
