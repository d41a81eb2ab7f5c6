// The check of JSON against a JSON Schema, for tests: of what `aios run --json` writes.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace aios::test {

using Json = nlohmann::json;

// The first thing about `value` that JSON Schema `schema` does not allow, as "path: why"; empty if it is valid. Knows
// the part of draft 2020-12 that docs/report.schema.json uses: type, properties, required, additionalProperties
// (boolean), items, minItems, maxItems, minimum, maximum, enum, const, pattern, $ref to #/$defs. A keyword that it does
// not know is an error, so that the schema cannot say more than is checked; a keyword with a rule of the wrong type
// throws what nlohmann::json throws.
[[nodiscard]] std::string schema_error(const Json& schema, const Json& value);

} // namespace aios::test
