// Reads a schema in two steps: declarations as they stand, then the names in them. See schema.hpp.
#include "policy/language/schema_declarations.hpp"
#include "policy/language/stream.hpp"

namespace aios::policy {

namespace {

class SchemaParser {
public:
    explicit SchemaParser(std::string_view text) : in_(text) {}

    Declarations all() {
        while (!in_.at_end()) {
            annotations();
            if (in_.take("namespace")) {
                space_ = in_.path();
                in_.expect("{");
                while (!in_.take("}")) {
                    annotations();
                    declaration();
                }
                space_.clear();
            } else {
                declaration();
            }
        }
        return std::move(made_);
    }

private:
    void annotations() {
        while (in_.take("@")) {
            if (in_.peek().kind != Token::Kind::name) in_.wrong("the name of an annotation is expected");
            in_.next();
            if (in_.take("(")) {
                (void)in_.string();
                in_.expect(")");
            }
        }
    }

    void declaration() {
        if (in_.take("entity")) {
            entity();
        } else if (in_.take("action")) {
            action();
        } else if (in_.take("type")) {
            const Position position = in_.peek().position;
            const std::string name = in_.name();
            in_.expect("=");
            declare(made_.common, CommonDeclaration{space_, type()}, name, position);
            in_.expect(";");
        } else {
            in_.wrong("entity, action, type or namespace is expected");
        }
    }

    std::string qualified(const std::string& name) const { return space_.empty() ? name : space_ + "::" + name; }

    template <typename T>
    void declare(std::map<std::string, T>& in, T what, const std::string& name, Position position) {
        if (!in.emplace(qualified(name), std::move(what)).second)
            TokenStream::wrong_at(position, qualified(name) + " is declared twice");
    }

    void entity() {
        std::vector<std::pair<std::string, Position>> names;
        do {
            const Position position = in_.peek().position;
            names.emplace_back(in_.name(), position);
        } while (in_.take(","));
        EntityDeclaration made{.space = space_};
        if (in_.take("enum")) {
            made.is_enumerated = true;
            in_.expect("[");
            do {
                if (in_.peek().is("]")) break;
                made.ids.insert(in_.string());
            } while (in_.take(","));
            in_.expect("]");
            if (made.ids.empty())
                TokenStream::wrong_at(names.front().second, "an enumerated type needs at least one id");
        } else {
            if (in_.take("in")) made.parents = entity_types();
            const bool has_equals = in_.take("=");
            if (has_equals || in_.peek().is("{")) made.attributes = record();
            if (in_.take("tags")) made.tags = type();
        }
        in_.expect(";");
        for (const auto& [name, position] : names)
            declare(made_.entities, made, name, position);
    }

    std::vector<NameUse> entity_types() {
        std::vector<NameUse> types;
        auto one = [&] {
            const Position position = in_.peek().position;
            types.push_back({in_.path(), position});
        };
        if (!in_.take("[")) {
            one();
            return types;
        }
        while (!in_.take("]")) {
            one();
            if (!in_.peek().is("]")) in_.expect(",");
        }
        return types;
    }

    std::string name_or_string() { return in_.peek().kind == Token::Kind::string ? in_.string() : attribute_name(); }

    std::string attribute_name() {
        if (in_.peek().kind != Token::Kind::name) in_.wrong("a name is expected");
        return std::string(in_.next().text);
    }

    void action() {
        ActionDeclaration made{.space = space_, .position = in_.peek().position};
        std::vector<std::string> names;
        do {
            names.push_back(name_or_string());
        } while (in_.take(","));
        if (in_.take("in")) {
            if (in_.take("[")) {
                while (!in_.take("]")) {
                    made.parents.push_back(action_reference());
                    if (!in_.peek().is("]")) in_.expect(",");
                }
            } else {
                made.parents.push_back(action_reference());
            }
        }
        if (in_.take("appliesTo")) applies_to(made);
        if (in_.take("attributes")) { // of older schemas; nothing reads them
            (void)record();
        }
        in_.expect(";");
        const std::string type = qualified("Action");
        for (const std::string& name : names) {
            if (!made_.actions.emplace(Uid{type, name}, made).second)
                TokenStream::wrong_at(made.position, "the action " + Uid{type, name}.text() + " is declared twice");
        }
    }

    ActionReference action_reference() {
        ActionReference made{.position = in_.peek().position};
        if (in_.peek().kind == Token::Kind::string) {
            made.id = in_.string();
            return made;
        }
        std::string path = in_.path();
        if (in_.take("::")) {
            made.type = std::move(path);
            made.id = in_.string();
        } else {
            made.id = std::move(path);
        }
        return made;
    }

    void applies_to(ActionDeclaration& made) {
        in_.expect("{");
        bool principal = false, resource = false, context = false;
        auto once = [&](bool& seen, std::string_view what) {
            if (std::exchange(seen, true)) in_.wrong("'" + std::string(what) + "' stands twice: '}' is expected");
        };
        while (!in_.take("}")) {
            if (in_.take("principal")) {
                once(principal, "principal");
                in_.expect(":");
                made.principals = entity_types();
            } else if (in_.take("resource")) {
                once(resource, "resource");
                in_.expect(":");
                made.resources = entity_types();
            } else if (in_.take("context")) {
                once(context, "context");
                in_.expect(":");
                made.context = type();
            } else {
                in_.wrong("principal, resource or context is expected");
            }
            if (!in_.peek().is("}")) in_.expect(",");
        }
    }

    TypeUseRef type() {
        auto made = std::make_shared<TypeUse>();
        made->position = in_.peek().position;
        if (in_.peek().is("{")) return record();
        if (in_.peek().is("Set") && in_.peek(1).is("<")) {
            if (++nesting_ > kMaxNesting) in_.wrong("a type that is nested less deeply is expected");
            in_.next();
            in_.expect("<");
            made->kind = TypeUse::Kind::set;
            made->element = type();
            in_.expect(">");
            --nesting_;
            return made;
        }
        made->name = in_.path();
        return made;
    }

    TypeUseRef record() {
        auto made = std::make_shared<TypeUse>();
        made->position = in_.peek().position;
        made->kind = TypeUse::Kind::record;
        if (!in_.peek().is("{")) return type(); // a common type that is a record
        if (++nesting_ > kMaxNesting) in_.wrong("a type that is nested less deeply is expected");
        in_.expect("{");
        while (!in_.take("}")) {
            annotations();
            const Position position = in_.peek().position;
            const std::string name = name_or_string();
            const bool optional = in_.take("?");
            in_.expect(":");
            if (!made->fields.emplace(name, TypeUse::Field{type(), !optional}).second)
                TokenStream::wrong_at(position, "the attribute " + string_literal(name) + " stands twice");
            if (!in_.peek().is("}")) in_.expect(",");
        }
        --nesting_;
        return made;
    }

    TokenStream in_;
    std::string space_; // the namespace that is open
    Declarations made_;
    unsigned nesting_ = 0;
};

} // namespace

std::expected<Schema, Complaint> parse_schema(std::string_view text) {
    try {
        return resolved(SchemaParser(text).all());
    } catch (Complaint& complaint) {
        return std::unexpected(std::move(complaint));
    }
}

} // namespace aios::policy
