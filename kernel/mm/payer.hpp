// Who pays. mm, object and cap stand below quota, so they see the payer as this interface; kernel/quota implements it.
#pragma once

#include <cstdint>

#include "abi/resources.hpp"
#include "base/ref.hpp"
#include "base/result.hpp"

namespace aios {

class Payer {
public:
    // Reserves a resource that is held (the spent ones have budgets: kernel/quota) before the work starts: quota_exceeded
    // if it does not fit. One counter is touched. Any context.
    virtual Result<> reserve(Resource resource, std::uint64_t amount) = 0;
    virtual void give_back(Resource resource, std::uint64_t amount) = 0;
    virtual void retain() = 0;
    virtual void release() = 0;

protected:
    ~Payer() = default;
};

// A reservation that is given back when it ends: the holder of a half-made object.
class [[nodiscard]] Reservation {
public:
    Reservation() = default;
    static Result<Reservation> make(Payer& payer, Resource resource, std::uint64_t amount) {
        TRY(payer.reserve(resource, amount));
        return Reservation(payer, resource, amount);
    }
    Reservation(Reservation&& other) noexcept
        : payer_(std::move(other.payer_)), resource_(other.resource_), amount_(std::exchange(other.amount_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
        if (this != &other) {
            reset();
            payer_ = std::move(other.payer_);
            resource_ = other.resource_;
            amount_ = std::exchange(other.amount_, 0);
        }
        return *this;
    }
    ~Reservation() { reset(); }
    void reset() {
        if (payer_ && amount_ != 0) payer_->give_back(resource_, amount_);
        payer_ = {};
        amount_ = 0;
    }
    // What was reserved now belongs to a longer-lived object, which gives it back itself.
    void keep() {
        amount_ = 0;
        payer_ = {};
    }
    [[nodiscard]] std::uint64_t amount() const { return amount_; }
    [[nodiscard]] Payer* payer() const { return payer_.get(); }

private:
    Reservation(Payer& payer, Resource resource, std::uint64_t amount)
        : payer_(Ref<Payer>::share(payer)), resource_(resource), amount_(amount) {}
    Ref<Payer> payer_;
    Resource resource_ = Resource::memory;
    std::uint64_t amount_ = 0;
};

} // namespace aios
