// Open files of generated names: text, directories, and names that are only looked at: links, and devices, which are opened
// by open_device() (device_file.hpp).
//
// Text is made when it is read from its start, and kept until it is read from there again: so a program that keeps the file
// open and seeks back sees what is so by then. It is made outside the lock of the position, as its makers take locks of a
// lower rank; who reads meanwhile reads the text that was there before.
#pragma once

#include "personality/linux/generated_tree.hpp"
#include "personality/linux/open_file.hpp"

namespace aios::linux_abi {

// `path` as Path. kNoMemory.
std::expected<Ref<OpenFile>, Errno> open_generated_file(LinuxProcess& caller, const GeneratedNode& node,
                                                        std::string_view path);

} // namespace aios::linux_abi
