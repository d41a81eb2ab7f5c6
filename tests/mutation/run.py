#!/usr/bin/env python3
"""Runs the tests against small bugs made by rule, and says which of them nobody noticed.

    tests/mutation/run.py --root ROOT [--seed N] [--count N] [--jobs N] [--build-jobs N] [--only TEXT]

The work is done in copies of the tree, build/mutation/tree-N, that keep their builds: a mutant costs one object and a link a program.
Steps of a mutant, until one fails: the unit test of its folder, then the kernel and the levels kernel, guest and linux in one boot
each, that first which probably notices, and then the other unit tests that link its file. A boot ends at the first test that fails. A
test that hangs has noticed.

The lot goes on until `count` mutants are judged. Those that do not compile, and those that the folder's own test passes and of which the
kernel's object is the same code, are none. Mutants that change nothing that could be observed are listed with the reason in equivalent.txt and are not picked. Results are
lines of build/mutation/results-SEED.tsv; what stands there is not run again, but for what nobody noticed: there may be a test now.

The last lines are for the runner: TEST name pass|fail detail.
"""

import argparse
import os
import pathlib
import random
import sys
import threading
import time

from mutate import mutants_of
from tree import Tree, run

FOLDERS = ("kernel/cap", "kernel/mm", "kernel/ipc", "kernel/event", "kernel/quota", "kernel/audit", "kernel/sched",
           "personality/linux")
LEAST_CAUGHT = 95  # per cent of those judged
OUTCOMES = ("caught", "survived", "same code", "no compile")
JUDGED = ("caught", "survived")
GENERATOR_SECONDS = 300


def keys(mutants):
    """What names each mutant in equivalent.txt: not the line's number, which moves, but its text, and which of that text it is."""
    count = {}
    for mutant in mutants:
        key = f"{mutant.file}:{mutant.rule}:{mutant.before.strip()}".replace(" ", "")
        count[key] = count.get(key, 0) + 1
        yield mutant, key if count[key] == 1 else f"{key}#{count[key]}"


def lot(root, seed, only):
    """All mutants in the order in which they are tried: a rule by lot, then one of its mutants, so that rare rules are not drowned by
    the common ones."""
    equivalent = {line.split(" ", 1)[0] for line in (root / "tests/mutation/equivalent.txt").read_text().splitlines()
                  if line and not line.startswith("#")}
    by_rule, changes_nothing = {}, set()
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("*.cpp")):
            file = str(path.relative_to(root))
            for mutant, key in keys(mutants_of(file, path.read_text())):
                if key in equivalent:
                    equivalent.discard(key)
                    changes_nothing.add(mutant.name)
                if only in mutant.name:
                    by_rule.setdefault(mutant.rule, []).append(mutant)
    if equivalent:
        sys.exit("equivalent.txt names what is not there: " + ", ".join(sorted(equivalent)))
    chance = random.Random(seed)
    drawn, names = [], set()
    while any(by_rule.values()):
        rule = chance.choice(sorted(rule for rule, mutants in by_rule.items() if mutants))
        mutant = by_rule[rule].pop(chance.randrange(len(by_rule[rule])))
        # Drawn like all others, so that a new line of equivalent.txt takes out one mutant and moves none.
        if mutant.name not in names | changes_nothing:
            names.add(mutant.name)
            drawn.append(mutant)
    return drawn


class Results:
    """The file of results: name, outcome, who noticed, seconds, the line before and after; tabs between them. A later line of the same
    mutant counts."""

    def __init__(self, path):
        self.path = path
        self.rows = {}
        if path.exists():
            for line in path.read_text().splitlines():
                row = line.split("\t")
                self.rows[row[0], row[4]] = row

    def get(self, mutant):
        return self.rows.get((mutant.name, mutant.before.strip()))

    def add(self, mutant, outcome, noticed, seconds):
        row = [mutant.name, outcome, noticed.replace("\t", " "), f"{seconds:.0f}", mutant.before.strip(), mutant.after.strip()]
        self.rows[row[0], row[4]] = row
        with self.path.open("a") as file:
            file.write("\t".join(row) + "\n")
        print(f"{outcome:10}  {mutant.name}  {noticed}  {row[3]} s", flush=True)


class Round:
    """Hands out mutants until enough are judged. What is being judged is reckoned as judged until it turns out to be none."""

    def __init__(self, mutants, count, results):
        self.mutants = iter(mutants)
        self.wanted = count
        self.results = results
        self.lock = threading.Lock()
        self.taken = []  # judged, or none, in the order of the lot

    def next(self):
        with self.lock:
            while self.wanted > 0:
                mutant = next(self.mutants, None)
                if mutant is None:
                    return None
                self.taken.append(mutant)
                known = self.results.get(mutant)
                if known and known[1] not in JUDGED:
                    continue
                self.wanted -= 1
                if not known or known[1] == "survived":
                    return mutant
            return None

    def finish(self, mutant, outcome, noticed, seconds):
        with self.lock:
            self.results.add(mutant, outcome, noticed, seconds)
            if outcome not in JUDGED:
                self.wanted += 1


def report(mutants, results):
    rows = [row for row in map(results.get, mutants) if row]
    print(f"\n{'rule':20}" + "".join(f"{outcome:>12}" for outcome in OUTCOMES))
    for rule in sorted({row[0].rsplit(":", 1)[1] for row in rows}):
        of_rule = [row[1] for row in rows if row[0].endswith(":" + rule)]
        print(f"{rule:20}" + "".join(f"{of_rule.count(outcome):12}" for outcome in OUTCOMES))
    survivors = [row for row in rows if row[1] == "survived"]
    if survivors:
        print("\nNobody noticed:")
    for row in survivors:
        print(f"  {row[0]}\n    {row[4]}\n    -> {row[5] or '(nothing)'}")
    count = {outcome: sum(row[1] == outcome for row in rows) for outcome in OUTCOMES}
    judged = count["caught"] + count["survived"]
    good = judged > 0 and count["caught"] * 100 >= LEAST_CAUGHT * judged
    print(f"TEST mutants_are_caught {'pass' if good else 'fail'} {count['caught']} of {judged}; {count['same code']} were the same "
          f"code, {count['no compile']} did not compile")
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument("--build-jobs", type=int, default=0, help="objects at a time in each build")
    parser.add_argument("--only", default="", help="only mutants whose name holds this text")
    options = parser.parse_args()
    root = options.root.resolve()
    folder = root / "build" / "mutation"
    folder.mkdir(parents=True, exist_ok=True)

    status, output = run([sys.executable, "-m", "unittest", "discover", str(root / "tests/mutation")], GENERATOR_SECONDS)
    print(f"TEST generator {'pass' if status == 0 else 'fail'}", flush=True)
    if status != 0:
        sys.exit(output)

    results = Results(folder / f"results-{options.seed}.tsv")
    mutants = lot(root, options.seed, options.only)
    round_ = Round(mutants, options.count, results)
    files = {mutant.file for mutant in mutants}

    def work(number, mutant):
        tree = Tree(root, number, options.build_jobs or max(1, (os.cpu_count() or 1) // options.jobs))
        tree.copy()
        tree.configure()
        tree.learn(files)
        tree.check_unchanged()
        while mutant is not None:
            begin = time.monotonic()
            round_.finish(mutant, *tree.judge(mutant), time.monotonic() - begin)
            mutant = round_.next()

    def work_or_leave(number):
        try:
            mutant = round_.next()
            if mutant is not None:
                work(number, mutant)
        except BaseException as reason:  # a worker that ends early must not look like one with nothing to do
            print(f"{type(reason).__name__}: {reason}", flush=True)
            os._exit(2)

    workers = [threading.Thread(target=work_or_leave, args=(number,)) for number in range(options.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.exit(0 if report(round_.taken, results) else 1)


if __name__ == "__main__":
    main()
