// Errors of changes to a tree, in Linux's words.
#pragma once

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

[[nodiscard]] inline Errno change_errno(Error error) {
    if (error == Error::quota_exceeded || error == Error::out_of_memory || error == Error::no_space) return kNoSpace;
    if (error == Error::busy) return kNotEmpty;
    if (error == Error::wrong_type) return kNotDirectory;
    if (error == Error::missing_right) return kReadOnly;
    if (error == Error::too_large) return kFileTooBig;
    if (error == Error::unsupported) return kCrossDevice; // a directory that keeps its place
    return errno_of(error);
}

} // namespace aios::linux_abi
