#!/usr/bin/env python3
"""Runs the tests against small bugs made by rule, and says which of them nobody noticed.

    tests/mutation/run.py --root ROOT [--seed N] [--count N] [--jobs N] [--only TEXT]

The work is done in copies of the tree, build/mutation/tree-N, that keep their builds: a mutant costs one object and a link a program.
Steps of a mutant, until one fails: the unit tests that link its file; then the kernel, and the levels kernel, guest and linux in one boot
each. A test that hangs has noticed. Results are lines of build/mutation/results-SEED.tsv; what stands there is not run again unless the
file has changed. Mutants that change nothing that could be observed are listed with the reason in equivalent.txt and are not picked.

The last lines are for the runner: TEST name pass|fail detail.
"""

import argparse
import os
import pathlib
import queue
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

from mutate import apply, mutants_of

FOLDERS = ("kernel/cap", "kernel/mm", "kernel/ipc", "kernel/event", "kernel/quota", "kernel/audit", "kernel/sched",
           "personality/linux")
LEVELS = ("kernel", "guest", "linux")
LEAST_CAUGHT = 95  # per cent of those that compile
BUILD_SECONDS = 1800
UNIT_SECONDS = 300
LEVEL_SECONDS = 900
NOT_COPIED = {"build", ".git", ".cache"}


def run(command, seconds, folder=None, environment=None):
    """(status, output); status None if the time ran out. Whatever the command started is ended with it."""
    child = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True, text=True, errors="replace")
    try:
        output, _ = child.communicate(timeout=seconds)
        return child.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        return None, output


def pick(root, seed, count, only):
    """`count` mutants: a rule by lot, then one of its mutants, so that rare rules are not drowned by the common ones."""
    skipped = {line.split(" ", 1)[0] for line in (root / "tests/mutation/equivalent.txt").read_text().splitlines()
               if line and not line.startswith("#")}
    by_rule = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("*.cpp")):
            file = str(path.relative_to(root))
            for mutant in mutants_of(file, path.read_text()):
                if only in mutant.name and f"{file}:{mutant.rule}:{mutant.before.strip()}".replace(" ", "") not in skipped:
                    by_rule.setdefault(mutant.rule, []).append(mutant)
    lot = random.Random(seed)
    picked, names = [], set()
    while len(picked) < count and any(by_rule.values()):
        rule = lot.choice(sorted(rule for rule, mutants in by_rule.items() if mutants))
        mutant = by_rule[rule].pop(lot.randrange(len(by_rule[rule])))
        if mutant.name not in names:
            names.add(mutant.name)
            picked.append(mutant)
    return picked


class Tree:
    """A copy of the tree with builds of its own."""

    def __init__(self, root, number):
        self.root = root
        self.path = root / "build" / "mutation" / f"tree-{number}"
        self.covering = {}  # file -> unit tests that link it

    def copy(self):
        """Copies what differs, so that nothing is built again for nothing."""
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in NOT_COPIED]
            target = self.path / pathlib.Path(folder).relative_to(self.root)
            target.mkdir(parents=True, exist_ok=True)
            for name in files:
                source, copy = pathlib.Path(folder) / name, target / name
                if not copy.exists() or source.read_bytes() != copy.read_bytes():
                    shutil.copy(source, copy)

    def configure(self):
        for preset in ("debug", "release"):
            if not (self.path / "build" / preset / "build.ninja").exists():
                status, output = run(["cmake", "--preset", preset], BUILD_SECONDS, self.path)
                if status != 0:
                    sys.exit(f"configuring failed:\n{output}")

    def find_covering(self, files):
        debug = self.path / "build" / "debug"
        _, output = run(["ninja", "-C", str(debug), "-t", "targets", "all"], BUILD_SECONDS)
        units = sorted({line.split(":")[0] for line in output.splitlines() if line.startswith("unit_") and ": phony" in line}
                       - {"unit_headers"})
        for unit in units:
            _, output = run(["ninja", "-C", str(debug), "-t", "inputs", unit], BUILD_SECONDS)
            inputs = set(output.split())
            for file in files:
                if any(one.endswith("/" + file) for one in inputs):
                    self.covering.setdefault(file, []).append(unit)

    def ninja(self, preset, targets):
        return run(["ninja", "-C", str(self.path / "build" / preset), *targets], BUILD_SECONDS)

    def build_release(self):
        return self.ninja("release", ["aios-kernel"])

    def unit(self, name):
        return run([str(self.path / "build/debug/tests/unit" / name), "--gtest_brief=1"], UNIT_SECONDS)

    def level(self, name):
        environment = os.environ | {"AIOS_ROOT": str(self.path), "AIOS_PRESET": "release"}
        return run([str(self.path / "build/release/tools/aios/aios-host"), "test", name, "--quick"], LEVEL_SECONDS,
                   self.path, environment)

    def check_unchanged(self):
        """The tests pass without a mutant; otherwise every mutant would look caught."""
        units = sorted({unit for units in self.covering.values() for unit in units})
        for preset, targets in (("debug", units), ("release", ["aios-kernel", "aios-test-programs", "aios-host"])):
            status, output = self.ninja(preset, targets)
            if status != 0:
                sys.exit(f"the unchanged tree does not build:\n{output[-4000:]}")
        for unit in units:
            if self.unit(unit)[0] != 0:
                sys.exit(f"{unit} fails without a mutant")
        for level in LEVELS:
            status, output = self.level(level)
            if status != 0:
                sys.exit(f"the level {level} fails without a mutant:\n{output[-4000:]}")

    def judge(self, mutant):
        """(outcome, who noticed)."""
        path = self.path / mutant.file
        text = path.read_text()
        path.write_text(apply(text, mutant))
        try:
            for unit in self.covering.get(mutant.file, []):
                if self.ninja("debug", [unit])[0] != 0:
                    return "no compile", ""
                if self.unit(unit)[0] != 0:
                    return "caught", unit
            if self.build_release()[0] != 0:
                return "no compile", ""
            for level in LEVELS:
                if self.level(level)[0] != 0:
                    return "caught", level
            return "survived", ""
        finally:
            path.write_text(text)


class Results:
    """The file of results: name, outcome, who noticed, seconds, the line before and after; tabs between them."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.rows = {}
        if path.exists():
            for line in path.read_text().splitlines():
                row = line.split("\t")
                self.rows[row[0], row[4]] = row

    def get(self, mutant):
        return self.rows.get((mutant.name, mutant.before.strip()))

    def add(self, mutant, outcome, noticed, seconds):
        row = [mutant.name, outcome, noticed, f"{seconds:.0f}", mutant.before.strip(), mutant.after.strip()]
        with self.lock:
            self.rows[row[0], row[4]] = row
            with self.path.open("a") as file:
                file.write("\t".join(row) + "\n")
            print(f"{outcome:10}  {mutant.name}  {noticed}  {row[3]} s", flush=True)


def report(mutants, results):
    rows = [row for row in map(results.get, mutants) if row]
    count = {outcome: sum(row[1] == outcome for row in rows) for outcome in ("caught", "survived", "no compile")}
    print(f"\n{'rule':20} caught survived no-compile")
    for rule in sorted({row[0].rsplit(":", 1)[1] for row in rows}):
        of_rule = [row[1] for row in rows if row[0].endswith(":" + rule)]
        print(f"{rule:20} {of_rule.count('caught'):6} {of_rule.count('survived'):8} {of_rule.count('no compile'):10}")
    survivors = [row for row in rows if row[1] == "survived"]
    if survivors:
        print("\nNobody noticed:")
    for row in survivors:
        print(f"  {row[0]}\n    {row[4]}\n    -> {row[5] or '(nothing)'}")
    compiled = count["caught"] + count["survived"]
    good = compiled > 0 and count["caught"] * 100 >= LEAST_CAUGHT * compiled
    print(f"TEST mutants_are_caught {'pass' if good else 'fail'} {count['caught']} of {compiled}; "
          f"{count['no compile']} did not compile")
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="only mutants whose name holds this text")
    options = parser.parse_args()
    root = options.root.resolve()
    folder = root / "build" / "mutation"
    folder.mkdir(parents=True, exist_ok=True)

    status, output = run([sys.executable, "-m", "unittest", "discover", str(root / "tests/mutation")], UNIT_SECONDS)
    print(f"TEST generator {'pass' if status == 0 else 'fail'}", flush=True)
    if status != 0:
        sys.exit(output)

    mutants = pick(root, options.seed, options.count, options.only)
    results = Results(folder / f"results-{options.seed}.tsv")
    waiting = queue.Queue()
    for mutant in mutants:
        if not results.get(mutant):
            waiting.put(mutant)

    def work(number):
        tree = Tree(root, number)
        tree.copy()
        tree.configure()
        tree.find_covering({mutant.file for mutant in mutants})
        tree.check_unchanged()
        while True:
            try:
                mutant = waiting.get_nowait()
            except queue.Empty:
                return
            begin = time.monotonic()
            results.add(mutant, *tree.judge(mutant), time.monotonic() - begin)

    def work_or_leave(number):
        try:
            work(number)
        except SystemExit as reason:
            print(reason, flush=True)
            os._exit(2)

    if not waiting.empty():
        workers = [threading.Thread(target=work_or_leave, args=(number,)) for number in range(options.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    sys.exit(0 if report(mutants, results) else 1)


if __name__ == "__main__":
    main()
