// A long operation asks between its steps whether it shall stop; it then ends with Error::interrupted and writes no
// result.
#pragma once

namespace aios::crypto {

class StopCallback {
public:
    // Never stops.
    constexpr StopCallback() = default;
    // `stop(context)` says whether to stop. It is called at most every few thousand hash computations, and must be
    // short.
    constexpr StopCallback(bool (*stop)(void*), void* context) : stop_(stop), context_(context) {}

    [[nodiscard]] bool wants_stop() const { return stop_ != nullptr && stop_(context_); }

private:
    bool (*stop_)(void*) = nullptr;
    void* context_ = nullptr;
};

} // namespace aios::crypto
