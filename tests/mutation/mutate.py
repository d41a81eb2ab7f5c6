"""Small bugs made by rule. A mutant is one line of one file changed in one way; what a file offers is a list that depends on its text
alone, so that a seed and a number name the same mutants on every machine.

Only whole statements that stand on one line are dropped, so that nearly every mutant compiles. Lines that state what must hold
(ASSERT, static_assert) and declarations are left alone: the tests are asked about code that does something.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    file: str  # relative to the root of the tree
    line: int  # from 1
    rule: str
    before: str
    after: str

    @property
    def name(self):
        return f"{self.file}:{self.line}:{self.rule}"


# A statement that is a call and nothing else: `a.b(...);`, `TRY(a(...));`.
CALL = re.compile(r"^\s*(?!return\b|if\b|for\b|while\b|switch\b|else\b|case\b|delete\b|static\b|const\b|using\b|goto\b)"
                  r"[A-Za-z_][\w:.]*(?:(?:->|\.|::)[\w:]+|\([^;]*?\)|\[[^;\]]*\]|<[\w:, ]+>)*\s*\([^;]*\);\s*$")
GUARD = re.compile(r"^\s*if \((?!constexpr)(?P<condition>.*)\) (?:return|continue|break)\b[^;]*;\s*$")
IF = re.compile(r"^(?P<head>\s*(?:\} else )?(?:if|while) )\((?P<condition>[^;]*)\)(?P<tail> (?:\{|return\b.*|continue;|break;|[\w:.>-]+\(.*\);))\s*$")

# Calls by what they do, told by the name of what is called. The first that fits names the rule.
CALLED = re.compile(r"^\s*(?:TRY\()?[\w:.>-]*?(\w+)(?:<[^(]*>)?\(")
DROPS = (
    ("drop_charge", r"charge|reserve|take_from|give_back|keep"),
    ("drop_wake", r"wake|unpark|notify|post|raise|signal|fire|^set$"),
    ("drop_flush", r"flush|shoot|invalidate|tlb|fence|unmap"),
    ("drop_reference", r"retain|release|adopt|drop|unlink|erase|remove|detach|reset|clear|destroy|free"),
    ("drop_record", r"record|audit|commit|count"),
    ("drop_zeroing", r"zero|memset|^fill"),
)


def rule_of_call(code):
    name = CALLED.match(code)[1] if CALLED.match(code) else ""
    for rule, pattern in DROPS:
        if re.search(pattern, name):
            return rule
    return "drop_try" if code.lstrip().startswith("TRY(") else "drop_call"


COMPARISONS = {" < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > ", " == ": " != ", " != ": " == "}
RIGHTS = ("read", "write", "map", "send", "receive", "wait", "derive", "transfer", "execute", "inspect", "kill")


def without_comment(line):
    """The line without a // comment; a // in a string is taken for one, which costs a mutant and nothing else."""
    return line.split("//")[0].rstrip()


def is_left_alone(code):
    return (not code.strip() or code.lstrip().startswith(("#", "*", "/*", "static_assert", "ASSERT", "PANIC", "log_", "asan_", "template",
                                                          "AIOS_", "friend", "public:", "private:", "case ", "default:", "asm"))
            or "ASSERT(" in code or "operator" in code or "constexpr" in code or "reinterpret_cast" in code)


def edits(code):
    """All (rule, new line) of one line of code."""
    guard = GUARD.match(code)
    if guard:
        yield "drop_check", ""
    if CALL.match(code) and code.count("(") == code.count(")"):
        yield rule_of_call(code), ""
    condition = IF.match(code)
    if condition and ";" not in condition["condition"] and "auto " not in condition["condition"] and "= " not in re.sub(
            r"[=!<>]=", "", condition["condition"]):
        yield "negate", f"{condition['head']}(!({condition['condition']})){condition['tail']}"
    for old, new in COMPARISONS.items():
        for at in re.finditer(re.escape(old), code):
            if "<" in old and code.lstrip().startswith("template"):
                continue
            if old in (" == ", " != ") and condition:
                continue  # the same as negate, or nearly
            yield "off_by_one" if old[1] in "<>" else "other_comparison", code[:at.start()] + new + code[at.end():]
            break
    if re.search(r"[\w)\]] [+-] 1\b(?!\d|')", code):
        yield "off_by_one", re.sub(r"([\w)\]]) [+-] 1\b(?!\d|')", r"\1", code, count=1)
    for old, new in ((" && ", " || "), (" || ", " && ")):
        if old in code and code.count(old) == 1 and "&&" not in code.replace(old, ""):
            yield "other_connective", code.replace(old, new)
    for right in re.findall(r"rights::(\w+)", code):
        if right in RIGHTS:
            other = RIGHTS[(RIGHTS.index(right) + 1) % len(RIGHTS)]
            yield "other_right", re.sub(rf"rights::{right}\b", f"rights::{other}", code, count=1)
            break


def mutants_of(file, text):
    """What a file offers, in the order of its lines."""
    found = []
    in_block_comment = False
    is_whole, hangs = True, False  # no statement stands open from the lines before; the line above waits for its body
    for number, line in enumerate(text.splitlines(), start=1):
        if in_block_comment or line.lstrip().startswith("/*"):
            in_block_comment = "*/" not in line
            continue
        code = without_comment(line)
        # The body of an `if` above it leaves a semicolon, or the next statement would be the body.
        nothing = ";" if hangs else ""
        found += [Mutant(file, number, rule, line, after or nothing) for rule, after in edits(code)
                  if not is_left_alone(code) and (is_whole or after)]
        if code.strip():
            hangs = code.endswith((")", "else", "do"))
            is_whole = code.endswith((";", "{", "}", ":", ")", "else", "do")) or code.lstrip().startswith("#")
    return found


def apply(text, mutant):
    lines = text.split("\n")
    if lines[mutant.line - 1] != mutant.before:
        raise ValueError(f"{mutant.name} is of another version of the file")
    lines[mutant.line - 1] = mutant.after
    return "\n".join(lines)
