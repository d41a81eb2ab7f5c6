#include "tools/aios/linux/elf_needs.hpp"

#include <cstring>
#include <format>
#include <optional>

#include <elf.h>

namespace aios::host {

namespace {

constexpr std::size_t kMostEntries = 4096; // of the dynamic section
constexpr std::size_t kMostText = 4096;    // of a name or a list of paths

template <typename T>
std::optional<T> value_at(std::string_view bytes, std::uint64_t offset) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

std::string_view architecture_name(unsigned machine) {
    switch (machine) {
    case EM_386:
        return "x86, 32 bits";
    case EM_AARCH64:
        return "AArch64";
    case EM_ARM:
        return "ARM";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "POWER";
    case EM_S390:
        return "S/390";
    default:
        return "not x86-64";
    }
}

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    std::expected<ElfNeeds, std::string> read() {
        const auto head = value_at<Elf64_Ehdr>(bytes_, 0);
        if (!head) return std::unexpected("is damaged: it ends within its header");
        head_ = *head;
        if (head_.e_machine != EM_X86_64 || head_.e_ident[EI_CLASS] != ELFCLASS64)
            return std::unexpected(std::format("is for another architecture ({})", architecture_name(head_.e_machine)));
        if (head_.e_type != ET_EXEC && head_.e_type != ET_DYN) return std::unexpected("is no executable");
        if (head_.e_phentsize != sizeof(Elf64_Phdr)) return std::unexpected("is damaged: its segments cannot be read");
        for (unsigned i = 0; i < head_.e_phnum; ++i) {
            const auto segment = value_at<Elf64_Phdr>(bytes_, head_.e_phoff + i * sizeof(Elf64_Phdr));
            if (!segment) return std::unexpected("is damaged: it ends within its segments");
            if (segment->p_type == PT_LOAD) loads_.push_back(*segment);
            if (segment->p_type == PT_INTERP) needs_.interpreter = text_at(segment->p_offset);
            if (segment->p_type == PT_DYNAMIC) dynamic_ = *segment;
            constexpr std::uint32_t kBoth = PF_W | PF_X;
            if ((segment->p_type == PT_LOAD || segment->p_type == PT_GNU_STACK) && (segment->p_flags & kBoth) == kBoth)
                needs_.jit = true;
        }
        if (dynamic_) read_dynamic();
        return std::move(needs_);
    }

private:
    // Up to the next NUL.
    std::string text_at(std::uint64_t offset) const {
        if (offset >= bytes_.size()) return {};
        const std::string_view rest = bytes_.substr(offset, kMostText);
        return std::string(rest.substr(0, rest.find('\0')));
    }

    std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
        for (const Elf64_Phdr& load : loads_) {
            if (address >= load.p_vaddr && address - load.p_vaddr < load.p_filesz)
                return load.p_offset + (address - load.p_vaddr);
        }
        return std::nullopt;
    }

    template <typename F>
    void for_each_entry(F&& take) const {
        const std::size_t count = std::min<std::uint64_t>(dynamic_->p_filesz / sizeof(Elf64_Dyn), kMostEntries);
        for (std::size_t i = 0; i < count; ++i) {
            const auto entry = value_at<Elf64_Dyn>(bytes_, dynamic_->p_offset + i * sizeof(Elf64_Dyn));
            if (!entry || entry->d_tag == DT_NULL) return;
            take(*entry);
        }
    }

    void read_dynamic() {
        std::optional<std::uint64_t> strings;
        for_each_entry([&](const Elf64_Dyn& entry) {
            if (entry.d_tag == DT_STRTAB) strings = offset_of(entry.d_un.d_ptr);
        });
        if (!strings) return;
        for_each_entry([&](const Elf64_Dyn& entry) {
            if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RPATH && entry.d_tag != DT_RUNPATH) return;
            if (entry.d_un.d_val > bytes_.size()) return;
            std::string text = text_at(*strings + entry.d_un.d_val);
            if (entry.d_tag == DT_NEEDED && !text.empty())
                needs_.libraries.push_back(std::move(text));
            else if (entry.d_tag == DT_RPATH)
                needs_.rpath = std::move(text);
            else if (entry.d_tag == DT_RUNPATH)
                needs_.runpath = std::move(text);
        });
        if (!needs_.runpath.empty()) needs_.rpath.clear();
    }

    const std::string_view bytes_;
    Elf64_Ehdr head_{};
    std::vector<Elf64_Phdr> loads_;
    std::optional<Elf64_Phdr> dynamic_;
    ElfNeeds needs_;
};

} // namespace

bool is_elf(std::string_view bytes) { return bytes.starts_with(std::string_view(ELFMAG, SELFMAG)); }

std::expected<ElfNeeds, std::string> read_elf_needs(std::string_view bytes) { return Reader(bytes).read(); }

} // namespace aios::host
