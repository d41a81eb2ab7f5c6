"""The generator's own tests: `python3 -m unittest discover tests/mutation`; the first step of `./aios test mutation`."""

import unittest

from mutate import Mutant, apply, edits, mutants_of
from run import keys


def rules(line):
    return [rule for rule, _ in edits(line)]


def after(line, wanted):
    return next(new for rule, new in edits(line) if rule == wanted)


class Rules(unittest.TestCase):
    def test_a_check_is_dropped_and_negated(self):
        line = "    if (slot == nullptr) return fail(Error::bad_handle);"
        self.assertEqual(after(line, "drop_check"), "")
        self.assertEqual(after(line, "negate"), "    if (!(slot == nullptr)) return fail(Error::bad_handle);")

    def test_the_head_of_a_block_is_negated_but_not_dropped(self):
        self.assertEqual(rules("    if (!was_used) {"), ["negate"])
        self.assertEqual(after("    while (at < end) {", "negate"), "    while (!(at < end)) {")

    def test_a_condition_that_declares_is_left_alone(self):
        self.assertEqual(rules("    if (const auto found = look(); found) {"), [])
        self.assertEqual(rules("    if (Slot* slot = find(handle)) return slot->value;"), ["drop_check"])

    def test_calls_are_dropped_by_what_they_do(self):
        for line, rule in (
            ("    TRY(quota.charge(Resource::memory, bytes));", "drop_charge"),
            ("    TRY(check_kind(call, DeviceKind::power));", "drop_try"),
            ("    waiters_.wake_all();", "drop_wake"),
            ("    arch::flush_page(address);", "drop_flush"),
            ("    node->release();", "drop_reference"),
            ("    std::memset(page, 0, bytes);", "drop_zeroing"),
            ("    source.set(kSignalReadable);", "drop_wake"),
            ("    table.touch(3);", "drop_call"),
        ):
            self.assertIn((rule, ""), list(edits(line)), line)

    def test_only_whole_statements_are_dropped(self):
        for line in ("    const auto x = charge(3);", "    return charge(3);", "    charge(3,", "    other)); charge(",
                     "    Guard guard(lock_);", "    auto guard = lock();",
                     "        TRY(make(3)));"):
            self.assertFalse([rule for rule in rules(line) if rule.startswith("drop_")], line)

    def test_comparisons_move_by_one(self):
        self.assertEqual(after("    return a < b;", "off_by_one"), "    return a <= b;")
        self.assertEqual(after("    return a >= b;", "off_by_one"), "    return a > b;")
        self.assertEqual(after("    x = size - 1;", "off_by_one"), "    x = size;")
        self.assertEqual(after("    return a == b;", "other_comparison"), "    return a != b;")
        self.assertEqual(rules("    x = size - 16;"), [])

    def test_templates_and_streams_are_no_comparisons(self):
        self.assertEqual(rules("    Ref<Thread> thread{};"), [])
        self.assertEqual(rules("    x = 1 << y;"), [])

    def test_rights_are_exchanged(self):
        self.assertEqual(after("    return has(rights::read);", "other_right"), "    return has(rights::write);")

    def test_connectives_are_exchanged(self):
        self.assertEqual(after("    return a && b;", "other_connective"), "    return a || b;")

    def test_what_states_a_truth_is_left_alone(self):
        text = "    ASSERT(a < b);\n    static_assert(a < b);\n    // a < b\n#if a < b\n    /* a < b\n    a < b */\n"
        self.assertEqual(mutants_of("f", text), [])


class Files(unittest.TestCase):
    TEXT = "int f(int a) {\n    if (a < 0) return -1;\n    return g(a) - 1; // why\n}\n"

    def test_names_are_unique_and_stable(self):
        found = mutants_of("f.cpp", self.TEXT)
        self.assertEqual(found, mutants_of("f.cpp", self.TEXT))
        self.assertEqual(len({one.name for one in found}), len(found))

    def test_keys_tell_equal_lines_apart(self):
        found = [key for _, key in keys(mutants_of("f.cpp", "    wake();\n    next();\n    wake();\n"))]
        self.assertEqual(found, ["f.cpp:drop_wake:wake();", "f.cpp:drop_call:next();", "f.cpp:drop_wake:wake();#2"])

    def test_applying_changes_one_line(self):
        for mutant in mutants_of("f.cpp", self.TEXT):
            before, changed = self.TEXT.split("\n"), apply(self.TEXT, mutant).split("\n")
            self.assertEqual([i + 1 for i in range(len(before)) if before[i] != changed[i]], [mutant.line])

    def test_the_end_of_a_statement_is_not_dropped(self):
        text = "    if (a)\n        wake();\n    const auto x =\n        TRY(make());\n    TRY(make());\n"
        self.assertEqual([(one.line, one.rule, one.after) for one in mutants_of("f.cpp", text)],
                         [(2, "drop_wake", ";"), (5, "drop_try", "")])

    def test_a_mutant_of_another_version_is_refused(self):
        with self.assertRaises(ValueError):
            apply(self.TEXT, Mutant("f.cpp", 2, "negate", "something else", ""))


if __name__ == "__main__":
    unittest.main()
