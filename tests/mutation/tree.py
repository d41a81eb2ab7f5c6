"""A copy of the tree that keeps its builds, in which one mutant after the other is built and shown to the tests.

What it knows of the tree: which unit tests link a file, which object of the kernel is made of it, and what every test takes when nothing
is wrong. Whatever it starts is ended after a multiple of that time, and a test that does not end has noticed.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from mutate import apply

# Levels in one boot each; one that is counted runs on one processor whose time is counted in instructions.
LEVELS = ("kernel", "kernel counted", "guest", "linux")
# Which of them probably notices first.
LEVELS_OF = {"personality/linux": ("linux", "guest"),  # the tests inside the kernel run no program
             "kernel/mm": ("kernel", "linux", "guest"),
             "kernel/sched": ("kernel counted", "kernel", "guest", "linux")}
IMAGES = ("aios-kernel", "aios-kernel-tests")
USUAL_LEVELS = ("guest", "linux", "kernel")

BUILD_SECONDS = 3600
UNCHANGED_SECONDS = 1800
PATIENCE = 5  # times what a test took without a mutant
LEAST_PATIENCE = 60  # seconds: the machine may be busy
SLOW_UNIT_SECONDS = 60  # a slower one is asked only if its folder is the file's
SILENCE_SECONDS = 60  # without the end of a test in a boot; the longest test takes a few
# What a change by rule leaves behind, as a function that nobody calls any more, is no reason not to compile. What the analysis of locks
# finds is one: it keeps such a bug out. The driver of clang reads this.
NO_ERRORS = "# " + " ".join(f"+-Wno-error={what}" for what in (
    "unused-function", "unused-variable", "unused-but-set-variable", "unused-parameter", "unused-const-variable",
    "unused-member-function", "unused-lambda-capture", "unused-private-field", "unused-value", "logical-op-parentheses",
    "parentheses", "parentheses-equality", "bitwise-op-parentheses", "tautological-compare"))
NOT_COPIED = {"build", ".git", ".cache", "__pycache__", "node_modules"}


def run(command, seconds, folder=None, environment=None):
    """(status, output); status None if the time ran out. Whatever the command started is ended with it."""
    child = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, start_new_session=True, text=True, errors="replace")
    try:
        output, _ = child.communicate(timeout=seconds)
        return child.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        return None, output


def failures(output):
    """The names of the first tests that failed, from what a unit test or the runner prints."""
    found = []
    for line in output.splitlines():
        for mark in ("FAIL  ", "[  FAILED  ] ", "ERROR: AddressSanitizer: ", "runtime error: ", "Assertion"):
            if mark in line:
                found.append(line.split(mark, 1)[1].strip()[:80])
    return "; ".join(found[:3]) or "ended badly"


class Tree:
    def __init__(self, root, number, jobs):
        self.root = root
        self.path = root / "build" / "mutation" / f"tree-{number}"
        self.jobs = jobs  # of a build
        self.covering = {}  # file -> unit tests that link it
        self.objects = {}  # file -> object of the kernel, relative to the build
        self.code = {}  # file -> that object without a mutant
        self.seconds = {}  # test -> what it takes without a mutant

    def copy(self):
        """Copies what differs, so that nothing is built again for nothing, and removes what is gone."""
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in NOT_COPIED]
            target = self.path / pathlib.Path(folder).relative_to(self.root)
            target.mkdir(parents=True, exist_ok=True)
            for name in files:
                source, copy = pathlib.Path(folder) / name, target / name
                if not copy.exists() or source.read_bytes() != copy.read_bytes():
                    shutil.copy(source, copy)
            for entry in target.iterdir():
                if entry.is_file() and entry.name not in files:
                    entry.unlink()

    def configure(self):
        """Each time: there may be a test that the build of the run before does not know. Objects that are code can be compared, so
        nothing is optimised across files."""
        for preset in ("debug", "release"):
            status, output = run(["cmake", "--preset", preset, "-DAIOS_LTO=OFF"], BUILD_SECONDS, self.path)
            if status != 0:
                sys.exit(f"configuring failed:\n{output}")

    def learn(self, files):
        """Which unit tests link these files, and which objects of the kernel are made of them."""
        debug, release = (str(self.path / "build" / preset) for preset in ("debug", "release"))
        _, output = run(["ninja", "-C", debug, "-t", "targets", "all"], BUILD_SECONDS)
        units = sorted({line.split(":")[0] for line in output.splitlines() if line.startswith("unit_") and ": phony" in line}
                       - {"unit_headers"})
        for unit in units:
            _, output = run(["ninja", "-C", debug, "-t", "inputs", unit], BUILD_SECONDS)
            inputs = set(output.split())
            for file in files:
                if str(self.path / file) in inputs:
                    self.covering.setdefault(file, []).append(unit)
        _, output = run(["ninja", "-C", release, "-t", "targets", "all"], BUILD_SECONDS)
        objects = [line.split(":")[0] for line in output.splitlines() if "aios-kernel-code.dir/" in line and ".o:" in line]
        for file in files:
            short = file.removeprefix("kernel/")
            found = [one for one in objects if one.endswith(f"aios-kernel-code.dir/{short}.o") or one.endswith(f"/{file}.o")]
            if len(found) != 1:
                sys.exit(f"{file} makes {len(found)} objects of the kernel")
            self.objects[file] = found[0]

    def ninja(self, preset, targets, environment=None):
        return run(["ninja", f"-j{self.jobs}", "-C", str(self.path / "build" / preset), *targets], BUILD_SECONDS,
                   environment=environment)

    def ninja_with_mutant(self, preset, *targets):
        return self.ninja(preset, targets, os.environ | {"CCC_OVERRIDE_OPTIONS": NO_ERRORS})[0] == 0

    def code_of(self, file):
        """The object without what only debuggers read: columns move with every edit."""
        stripped = self.path / "build" / "stripped.o"
        status, output = run(["llvm-objcopy-19", "--strip-debug", str(self.path / "build/release" / self.objects[file]),
                              str(stripped)], BUILD_SECONDS)
        if status != 0:
            sys.exit(output)
        return stripped.read_bytes()

    def limit(self, test):
        return max(LEAST_PATIENCE, PATIENCE * self.seconds[test]) if test in self.seconds else UNCHANGED_SECONDS

    def test(self, name):
        """(status, output) of a unit test or a level."""
        if name not in LEVELS:
            return run([str(self.path / "build/debug/tests/unit" / name), "--gtest_brief=1", "--gtest_fail_fast"],
                       self.limit(name), self.path)
        environment = os.environ | {"AIOS_ROOT": str(self.path), "AIOS_PRESET": "release"}
        level, *counted = name.split()
        boot = "--counted" if counted else "--quick"
        return run([str(self.path / "build/release/tools/aios/aios-host"), "test", level, boot, "--fail-fast",
                    str(SILENCE_SECONDS)], self.limit(name), self.path, environment)

    def check_unchanged(self):
        """The tests pass without a mutant; otherwise every mutant would look caught. Keeps the code and the times."""
        units = sorted({unit for units in self.covering.values() for unit in units})
        for preset, targets in (("debug", units), ("release", ["aios-kernel", "aios-test-programs", "aios-host"])):
            status, output = self.ninja(preset, targets)
            if status != 0:
                sys.exit(f"the unchanged tree does not build:\n{output[-4000:]}")
        for file in self.objects:
            self.code[file] = self.code_of(file)
        for test in (*units, *LEVELS):
            begin = time.monotonic()
            status, output = self.test(test)
            if status != 0:
                sys.exit(f"{test} fails without a mutant:\n{output[-4000:]}")
            self.seconds[test] = time.monotonic() - begin
            print(f"{test} passes without a mutant in {self.seconds[test]:.1f} s", flush=True)

    def tests_for(self, file):
        """The unit test of the file's folder, the boots, and the unit tests that link the file for what they test above it: these
        seldom see what the others do not. Not the slow ones of those."""
        folder = file.rsplit("/", 1)[0]
        name = "unit_" + folder.rsplit("/", 1)[1]
        units = self.covering.get(file, [])
        own = [unit for unit in units if unit == name or unit.startswith(name + "_")]
        others = [unit for unit in units if unit not in own and self.seconds[unit] < SLOW_UNIT_SECONDS]
        return (*sorted(own, key=self.seconds.get), *LEVELS_OF.get(folder, USUAL_LEVELS),
                *sorted(others, key=self.seconds.get))

    def judge(self, mutant):
        """(outcome, who noticed)."""
        path = self.path / mutant.file
        text = path.read_text()
        path.write_text(apply(text, mutant))
        try:
            kernel_is_built = False
            for test in self.tests_for(mutant.file):
                if test not in LEVELS and not self.ninja_with_mutant("debug", test):
                    return "no compile", ""
                # What the folder's own test notices needs no kernel.
                if test in LEVELS and not kernel_is_built:
                    kernel_is_built = True
                    if not self.ninja_with_mutant("release", self.objects[mutant.file]):
                        return "no compile", ""
                    if self.code_of(mutant.file) == self.code[mutant.file]:
                        return "same code", ""
                    if not self.ninja_with_mutant("release", *IMAGES):
                        return "no compile", ""
                status, output = self.test(test)
                if status != 0:
                    (self.path / "build" / "last-failure.txt").write_text(f"{mutant.name}\n{output}")
                    return "caught", f"{test}: {'did not end' if status is None else failures(output)}"
            return "survived", ""
        finally:
            path.write_text(text)
