// The lint's rule on calls from a lower room of the kernel into a higher one. docs/design/upcalls.md has them in three
// tables; here they are compared with the code, so that there is no other and the tables stay true:
//   - functions of a namespace `upcall`: declared below, defined above, linked;
//   - interfaces: classes with virtual functions that a higher room implements;
//   - pointers to functions that are kept (in a member, a global or a type), whoever sets them.
// What is linked upwards in the kernel that was built is compared too (check_links): no function of any name.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/lint/lint.hpp"

namespace aios::host::lint {

class UpcallsRule {
public:
    UpcallsRule(const Layers& layers, std::string_view page);
    void look_at(std::string_view file, std::string_view text);
    void finish(std::vector<Finding>& findings) const;
    // `symbols`: what llvm-nm -A -C says of the kernel's objects, which lie in `folder`.
    void check_links(std::string_view symbols, std::string_view folder, std::vector<Finding>& findings) const;

    static constexpr std::string_view kPage = "docs/design/upcalls.md";

private:
    using Files = std::set<std::string, std::less<>>;
    struct Row { // of any of the tables
        std::size_t line = 0;
        Files below, above; // of an upcall: asked in, answered in; of others: declared in, implemented or set by
    };
    using Table = std::map<std::string, Row, std::less<>>;
    struct Place {
        std::string file;
        std::size_t line = 0;
    };
    struct Upcall {
        std::vector<Place> declared, defined;
    };
    struct Interface {
        Place declared;
        bool has_virtual = false;
    };
    struct Base { // `name` is a base of a class in `file`
        std::string name, file;
    };

    [[nodiscard]] bool is_above(std::string_view high, std::string_view low) const;
    [[nodiscard]] std::string room_of(std::string_view file) const;
    void read_page(std::string_view page);
    void find_functions(std::string_view file, std::string_view code);
    void find_classes(std::string_view file, std::string_view code);
    void find_pointers(std::string_view file, std::string_view code);
    void find_calls(std::string_view file, std::string_view code);
    void finish_upcalls(std::vector<Finding>& findings) const;
    void finish_interfaces(std::vector<Finding>& findings) const;
    void finish_pointers(std::vector<Finding>& findings) const;

    const Layers& layers_;
    Table upcalls_, interfaces_, pointers_; // the page's
    std::vector<Finding> found_;
    std::map<std::string, Upcall, std::less<>> functions_;  // by full name
    std::map<std::string, Files, std::less<>> calls_;       // by short name
    std::map<std::string, Interface, std::less<>> classes_; // by name
    std::vector<Base> bases_;
    std::map<std::string, Place, std::less<>> kept_; // "name of file"
};

// Shared by the two files of the rule.
namespace upcalls_text {
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] std::string_view last_part(std::string_view name);    // of a qualified one
[[nodiscard]] std::string_view below_kernel(std::string_view file); // without "kernel/"
} // namespace upcalls_text

} // namespace aios::host::lint
