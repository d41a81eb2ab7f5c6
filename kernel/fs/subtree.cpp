// A directory of a read-only tree, as a tree of its own: what a mount shows that is not all of a tree.
#include <cstring>

#include "base/path.hpp"
#include "kernel/fs/bundle_tree.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::fs {

namespace {

class Subtree final : public ReadOnlyTree {
public:
    Subtree(mm::OnHeap, Reservation charge, Ref<Tree> whole, mm::OwnedBytes prefix, std::size_t prefix_bytes)
        : ReadOnlyTree(std::move(charge)), whole_(std::move(whole)), prefix_(std::move(prefix)),
          prefix_bytes_(prefix_bytes) {}
    ~Subtree() override = default;

    Result<Ref<Node>> open(std::string_view path, Payer& payer) override {
        char room[kMaxPathBytes];
        return whole_->open(TRY(whole_path(path, room)), payer);
    }
    Result<SectionPlace> place_of(std::string_view path, Payer& payer) override {
        char room[kMaxPathBytes];
        return whole_->place_of(TRY(whole_path(path, room)), payer);
    }
    Result<> list(std::uint64_t, TreeEntry&, Payer&) override { return fail(Error::unsupported); }

private:
    // not_found: longer than a path may be.
    Result<std::string_view> whole_path(std::string_view path, char (&room)[kMaxPathBytes]) const {
        const std::size_t slash = path.empty() ? 0 : 1;
        if (path.size() > kMaxPathBytes || prefix_bytes_ + slash + path.size() > kMaxPathBytes)
            return fail(Error::not_found);
        std::memcpy(room, prefix_.data(), prefix_bytes_);
        if (slash != 0) room[prefix_bytes_] = '/'; // a prefix of the greatest length leaves no room for one
        std::memcpy(room + prefix_bytes_ + slash, path.data(), path.size());
        return std::string_view(room, prefix_bytes_ + slash + path.size());
    }

    const Ref<Tree> whole_;
    const mm::OwnedBytes prefix_;
    const std::size_t prefix_bytes_;
};

} // namespace

Result<SectionPlace> Tree::place_of(std::string_view, Payer&) { return fail(Error::unsupported); }

Result<Ref<Tree>> create_subtree(Payer& payer, Ref<Tree> whole, std::string_view path) {
    (void)TRY(whole->place_of(path, payer));
    if (path.empty()) return whole;
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Subtree>));
    mm::OwnedBytes prefix = TRY(mm::OwnedBytes::make(payer, path.size()));
    std::memcpy(prefix.data(), path.data(), path.size());
    return Ref<Tree>::adopt(
        TRY(mm::make<Subtree>(std::move(charge), std::move(whole), std::move(prefix), path.size())));
}

} // namespace aios::fs
