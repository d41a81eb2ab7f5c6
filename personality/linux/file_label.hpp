// What a file was opened as: the text behind /proc/PID/fd/N, and the name of its mappings in /proc/PID/maps. Constant; open
// file and mappings share it, and whoever opened the file pays.
#pragma once

#include "kernel/mm/label.hpp"
#include "kernel/mm/size_classes.hpp"
#include "personality/linux/held_text.hpp"

namespace aios::linux_abi {

class FileLabel final : public mm::Label {
public:
    // `path` is absolute, in the form of Path.
    static Result<Ref<FileLabel>> create(Payer& payer, std::string_view path, std::uint64_t device,
                                         std::uint64_t inode) {
        Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<FileLabel>));
        HeldText held = TRY(HeldText::copy(payer, path));
        return Ref<FileLabel>::adopt(TRY(mm::make<FileLabel>(std::move(charge), std::move(held), device, inode)));
    }
    void retain() override { references_.retain(); }
    void release() override {
        if (references_.release()) mm::destroy(this);
    }
    [[nodiscard]] std::string_view path() const { return path_.view(); }
    // Of a file that takes seals: what its shared mappings that may change it are called instead, so that they can be
    // counted. Constant; set before anybody maps it.
    Ref<mm::Label> writing; // a FileLabel without one of its own
    [[nodiscard]] std::uint32_t references() const { return references_.value(); }
    const std::uint64_t device, inode;

    FileLabel(mm::OnHeap, Reservation charge, HeldText path, std::uint64_t on_device, std::uint64_t number)
        : device(on_device), inode(number), charge_(std::move(charge)), path_(std::move(path)) {}
    ~FileLabel() = default;

private:
    RefCount references_;
    Reservation charge_;
    const HeldText path_;
};

} // namespace aios::linux_abi
