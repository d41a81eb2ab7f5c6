// A supervisor over the fake kernel.
#pragma once

#include <optional>
#include <string>

#include "runtime/orchestration/supervisor.hpp"
#include "tests/unit/orchestration/describe.hpp"
#include "tests/unit/orchestration/fake_kernel.hpp"

namespace aios::orchestration {

struct Supervised {
    test::FakeKernel kernel;
    std::optional<Supervisor::End> end; // nothing: the kernel became quiet and the supervisor waits on

    Supervised(const std::vector<Spec>& specs, Strategy strategy, unsigned intensity, unsigned period_ms)
        : kernel(encode(specs, strategy, intensity, period_ms)), source_(kernel, specs) {}

    void run() {
        startup_ = kernel.startup();
        console_handle = find_handle(startup_, StartupRole::console);
        supervisor_.emplace(startup_, "sup", "etc/x.cbor", source_);
        try {
            end = supervisor_->run();
        } catch (const test::Quiet&) {
        }
    }
    [[nodiscard]] std::string sentence() const { return end ? std::string(end->text) : "still waiting"; }

private:
    // Like initd: the identity channel is there when a unit serves it.
    class Source final : public HandleSource {
    public:
        Source(const test::FakeKernel& kernel, const std::vector<Spec>& specs) : kernel_(kernel) {
            for (const Spec& spec : specs) {
                has_identityd_ |= spec.role == number_of(StartupRole::identity_server);
            }
        }
        Result<Handle> handle_for(std::uint32_t role) override {
            if (role == number_of(StartupRole::identity) && !has_identityd_) return fail(Error::not_found);
            return kernel_.identity_channel();
        }
        Result<> prepare(const SystemDescription&) override { return {}; }

    private:
        const test::FakeKernel& kernel_;
        bool has_identityd_ = false;
    };

    StartupBlock startup_{};
    Source source_;
    std::optional<Supervisor> supervisor_;
};

} // namespace aios::orchestration
