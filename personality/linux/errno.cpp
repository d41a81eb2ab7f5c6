// The one mapping from the AIOS error taxonomy to Linux error numbers.
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

Errno errno_of(Error error) {
    switch (error) {
    case Error::bad_handle:
    case Error::wrong_type:
        return kBadFd;
    case Error::missing_right:
    case Error::revoked:
        return kAccess;
    case Error::bad_argument:
    case Error::bad_state:
        return kInvalid;
    case Error::bad_address:
        return kFault;
    case Error::too_large:
        return kTooBig;
    case Error::quota_exceeded:
    case Error::out_of_memory:
        return kNoMemory;
    case Error::would_block:
    case Error::not_ready:
        return kAgain;
    case Error::timed_out:
        return kTimedOut;
    case Error::interrupted:
    case Error::killed:
        return kInterrupted;
    case Error::peer_closed:
        return kPipe;
    case Error::unsupported:
        return kNoSystemCall;
    case Error::already_exists:
        return kExists;
    case Error::not_found:
        return kNoEntry;
    case Error::bad_format:
    case Error::truncated:
        return kNoExec;
    case Error::buffer_small:
        return kRange;
    case Error::busy:
        return kBusy;
    case Error::integrity:
    case Error::device:
        return kIo;
    case Error::no_space:
        return kNoSpace;
    case Error::overflow:
        return kOverflow;
    case Error::too_deep: // epoll_ctl(2): ELOOP
        return kLoop;
    }
    return kInvalid;
}

} // namespace aios::linux_abi
