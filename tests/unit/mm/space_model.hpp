// A naive model of address spaces, one record a page, and a driver that does every operation on both and compares:
// answers, contents, and charges to the byte. Used by the random test and by the fuzz target.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "kernel/mm/address_space.hpp"
#include "tests/unit/mm/fake_arch.hpp"
#include "tests/unit/mm/fake_source.hpp"

namespace aios::test {

using arch::Protection;
using mm::AddressSpace;
using mm::kPageSize;

// Where random numbers come from: a generator, or the bytes of a fuzz input.
class Choices {
public:
    virtual std::uint64_t below(std::uint64_t limit) = 0; // 0 .. limit-1
    virtual bool at_end() { return false; }

protected:
    ~Choices() = default;
};

// Aborts with a message; works in gtest and in a fuzz target.
[[noreturn]] void model_mismatch(const char* what, int line);
#define MODEL_CHECK(condition) ((condition) ? static_cast<void>(0) : ::aios::test::model_mismatch(#condition, __LINE__))

class SpaceDriver {
public:
    explicit SpaceDriver(Choices& choices);
    ~SpaceDriver(); // takes everything down and checks that all charges came back
    void step();
    void check_everything();

private:
    // Contents of Pages in the model: a byte for the start of each page; which pages were touched.
    struct ModelPages {
        Ref<mm::Pages> pages;
        bool is_source = false;
        std::vector<std::uint8_t> values;
    };
    struct ModelPage {
        Protection protection, maximum;
        bool whole;
        std::shared_ptr<ModelPages> pages; // nullptr: anonymous
        Ref<fake::Authority> authority;    // nullptr: none
        std::uint64_t index = 0;
        bool is_private = true;
        bool owned = false; // has a page of its own, with this value at its start
        std::uint8_t value = 0;
    };
    struct Space {
        std::unique_ptr<fake::CountingPayer> payer;
        Ref<AddressSpace> space;
        std::map<std::uint64_t, ModelPage> pages; // by address
        bool has_granted = false;                 // and has a roll since then
    };

    std::uint64_t random_address() { return kBase + choices_.below(kWindow) * kPageSize; }
    Protection random_protection();
    mm::Jit jit_ = mm::Jit::no; // of all spaces: they come from one
    Space& random_space() { return *spaces_[choices_.below(spaces_.size())]; }
    void map();
    void unmap();
    void protect();
    void discard();
    void remap();
    void touch();
    void fork();
    void grant();
    static bool is_own_memory(const Space& space, std::uint64_t address, std::uint64_t count, Protection needed);
    void end_space();
    void change_pages();
    void revoke();
    void set_limit();
    std::optional<std::uint8_t> model_value(const ModelPage& page) const;
    bool quota_refused(Error error) const { return limited_ && error == Error::quota_exceeded; }
    void check_space(Space& space);
    std::shared_ptr<ModelPages> make_pages();

    static constexpr std::uint64_t kBase = 0x4000'0000;
    static constexpr std::uint64_t kWindow = 48; // pages in which everything happens
    static constexpr std::uint64_t kObjectPages = 24;

    Choices& choices_;
    fake::CountingPayer pages_payer_, set_payer_;
    fake::Source source_;
    Ref<mm::SpaceSet> set_;
    Ref<fake::Authority> authorities_[3] = {fake::Authority::create(), fake::Authority::create(),
                                            fake::Authority::create()};
    std::vector<std::shared_ptr<ModelPages>> objects_;
    std::vector<std::unique_ptr<Space>> spaces_;
    bool limited_ = false;
};

} // namespace aios::test
