#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Changes one operator at a time in the sources that follow a trace, and says which test notices.

    tools/mutate --operators [N] [--seed S] [--only M...] [--under PATH...] [--directory DIR]

Draws N places (default 100, seed 1) from Sources/Normalize, Sources/Replay/Drive and Sources/Replay/Verify where an
operator stands: `&&` becomes `||`, `==` becomes `!=`, `<` becomes `<=`, `+` becomes `-`, and the other way round. All of
them are compiled at once: in a copy of the tree each place gets an operator of its own, of the same precedence, that
does what the old one did unless COWSCOPE_MUTANT names it. Then the tests that need no root and no tracefs run once for
each, the quick ones first, until one fails. Exit status 2 when fewer than nine in ten are noticed. A change that nothing
can show is in tools/mutate.d/equivalents with the reason, and is not tried.

--only runs these of the drawn ones, and not the tests without any change first. --under draws from these folders or files instead. The copy and its build stay in
DIR (.build/mutants): a second run compiles what changed.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
UNDER = ["Sources/Normalize", "Sources/Replay/Drive", "Sources/Replay/Verify"]
CHANGED = {
    "&&": "||", "||": "&&", "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">",
    "+": "-", "-": "+", "&+": "&-", "&-": "&+",
}
LOGICAL = {"&&": "LogicalConjunctionPrecedence", "||": "LogicalDisjunctionPrecedence"}
OPERATOR = re.compile(r"(?<=\s)(" + "|".join(re.escape(o) for o in sorted(CHANGED, key=len, reverse=True)) + r")(?=\s)")
# What an operator of our own cannot stand for: requirements of generics, `nil`, strings, directives, declarations.
EXCLUDED = re.compile(r'^\s*(//|#|import |extension |(\w+ )*(struct|enum|class|protocol|typealias|associatedtype) )|\bnil\b|"|operator')
# Of each target: those of its own, then those that hold captures against the kernel's word, then whatever else replays
# captures, which takes longer.
CAPTURES = ["CLITests.(FixtureTests|OtherKernelTests)", "PipelineTests"]
SUITES = {"Normalize": ["NormalizeTests"] + CAPTURES, "Replay": ["ReplayTests"] + CAPTURES}
# Without events: random stories and litmus go to the model alone, for minutes.
SKIPPED = ["LiveTests", "CaptureTests", "RandomStoryTests", "PropertyTests", "LitmusRunnerTests", "TimelineTests/census"]
LIMIT = 400


def operator(number):
    """A character that is an operator to Swift and that nobody uses: the blocks of arrows, mathematics and shapes."""
    return chr(0x2200 + number) if number < 256 else chr(0x2500 + number - 256)


def copy(directory):
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True).stdout.decode().split("\0")
    listed = {name for name in listed if name and (ROOT / name).exists()}
    for old in [p for top in ("Sources", "Tests") if (directory / top).exists() for p in (directory / top).rglob("*")]:
        if old.is_file() and str(old.relative_to(directory)) not in listed:
            old.unlink()
    for name in listed:
        place(directory / name, (ROOT / name).read_bytes(), ROOT / name)


def place(target, content, like=None):
    """Writes the file unless it says so already, that the build finds it unchanged."""
    if target.exists() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if like is not None:
        shutil.copymode(like, target)


def sites(under):
    for top in under:
        path = ROOT / top
        for file in sorted([path] if path.is_file() else path.rglob("*.swift")):
            for number, line in enumerate(file.read_text().splitlines()):
                code = line.split(" // ")[0]
                if EXCLUDED.search(code):
                    continue
                for match in OPERATOR.finditer(code):
                    yield str(file.relative_to(ROOT)), number, match.start(), match.group(1)


def equivalents():
    """By file and changed line, why the change shows nowhere."""
    text = (pathlib.Path(__file__).parent / "equivalents").read_text()
    paragraphs = [p.splitlines() for p in text.split("\n\n") if not p.startswith("#")]
    return {(name, changed): reason for name, changed, reason in paragraphs}


def changed_line(name, line, column, old):
    text = (ROOT / name).read_text().splitlines()[line]
    return (text[:column] + CHANGED[old] + text[column + len(old):]).strip()


def target_of(name):
    return name.split("/")[1]


def declarations(target, chosen):
    lines = ["// SPDX-License-Identifier: GPL-2.0-only", "import Glibc", "",
             'private let mutant: Int = unsafe getenv("COWSCOPE_MUTANT").flatMap { unsafe Int(String(cString: $0)) } ?? -1', ""]
    for number, (name, _, _, old) in chosen:
        if target_of(name) != target:
            continue
        new, this = CHANGED[old], operator(number)
        precedence = LOGICAL.get(old, "AdditionPrecedence" if old in ("+", "-", "&+", "&-") else "ComparisonPrecedence")
        lines.append(f"infix operator {this}: {precedence}")
        if old in LOGICAL:
            lines += ["@inline(never)",
                      f"func {this} (l: Bool, r: @autoclosure () throws -> Bool) rethrows -> Bool {{",
                      f"  mutant == {number} ? try l {new} r() : try l {old} r()", "}"]
        else:
            kind, result = {"==": ("Equatable", "Bool"), "!=": ("Equatable", "Bool")}.get(
                old, ("Comparable", "Bool") if old[0] in "<>" else
                ("FixedWidthInteger" if old.startswith("&") else "AdditiveArithmetic", "T"))
            lines += ["@inline(never)",
                      f"func {this} <T: {kind}>(l: T, r: T) -> {result} {{ mutant == {number} ? l {new} r : l {old} r }}"]
    return "\n".join(lines) + "\n"


def write_sources(directory, chosen, written):
    for name in written:
        place(directory / name, (ROOT / name).read_bytes())
    by_file = {}
    for number, (name, line, column, old) in chosen:
        by_file.setdefault(name, []).append((line, column, old, number))
    for name, changes in by_file.items():
        lines = (ROOT / name).read_text().splitlines()
        for line, column, old, number in sorted(changes, reverse=True):
            text = lines[line]
            lines[line] = text[:column] + operator(number) + text[column + len(old):]
        place(directory / name, ("\n".join(lines) + "\n").encode())
    for target in {target_of(name) for name in by_file}:
        place(directory / "Sources" / target / "Mutants.swift", declarations(target, chosen).encode())
    return set(by_file)


def build(directory, chosen):
    """Builds all of them; a place where the compiler refuses the operator of our own is given up and told."""
    written = set()
    for _ in range(8):
        written = write_sources(directory, chosen, written)
        built = subprocess.run(
            ["swift", "build", "--build-tests"], cwd=directory, text=True, capture_output=True)
        if built.returncode == 0:
            return chosen
        refused = set()
        for name, line in re.findall(r"(Sources/\S+?\.swift):(\d+):\d+: error", built.stdout + built.stderr):
            refused |= {m for m in chosen if m[1][0] == name and abs(m[1][1] + 1 - int(line)) <= 3}
        if not refused:
            sys.exit("tools/mutate: the tree with operators of its own does not build:\n" + built.stdout[-3000:])
        for number, (name, line, _, old) in sorted(refused):
            print(f"  {number:3}  {name}:{line + 1}: {old} cannot be compiled as an operator of its own: left out")
        chosen = [m for m in chosen if m not in refused]
    sys.exit("tools/mutate: the compiler keeps refusing")


def notice(directory, program, number, target):
    """What first notices the mutant; `None` when nothing does."""
    return next(filter(None, (failure(directory, program, number, suite) for suite in SUITES[target])), None)


def failure(directory, program, number, suite):
    """The first test that fails with this mutant, or what else became of it; `None` when all pass."""
    environment = dict(os.environ, COWSCOPE_MUTANT=str(number), NO_COLOR="1")
    command = [program, "--testing-library", "swift-testing", "--filter", suite]
    command += [word for name in SKIPPED for word in ("--skip", name)]
    running = subprocess.Popen(
        command, cwd=directory, env=environment, text=True, errors="replace", stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True)
    began, seen = time.monotonic(), None
    limit = threading.Timer(LIMIT, os.killpg, (running.pid, signal.SIGKILL))
    limit.start()
    for line in running.stdout:
        if found := re.search(r"✘ Test (.*?) recorded an issue|(Fatal error.*)", line):
            seen = (found.group(1) or found.group(2)).strip()[:90]
            break
    limit.cancel()
    if seen:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    elif running.wait() != 0:
        seen = f"ended with {running.returncode}" if time.monotonic() - began < LIMIT else f"not done in {LIMIT} s"
    return seen and f"{seen} ({time.monotonic() - began:.0f} s)"


def test_program(directory):
    shown = subprocess.run(
        ["swift", "build", "--show-bin-path"], cwd=directory, text=True, check=True, capture_output=True).stdout.strip()
    return pathlib.Path(shown) / "cowscopePackageTests.xctest"


def main():
    parser = argparse.ArgumentParser(prog="tools/mutate --operators", description=__doc__.splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="+")
    parser.add_argument("--under", nargs="+", default=UNDER)
    parser.add_argument("--directory", type=pathlib.Path, default=ROOT / ".build" / "mutants")
    options = parser.parse_args()

    everything = list(sites(options.under))
    count = min(options.count, len(everything), 350)
    chosen = list(enumerate(sorted(random.Random(options.seed).sample(everything, count))))
    print(f"{count} of {len(everything)} operators, seed {options.seed}", flush=True)
    options.directory.mkdir(parents=True, exist_ok=True)
    copy(options.directory)
    chosen = build(options.directory, chosen)
    program = test_program(options.directory)
    for target in SUITES if not options.only else ():
        if seen := notice(options.directory, program, -1, target):
            sys.exit(f"tools/mutate: a test fails without any change: {seen}")

    survivors, tried, reasons = [], 0, equivalents()
    for number, (name, line, column, old) in chosen:
        if options.only and number not in options.only:
            continue
        if reason := reasons.get((name, changed_line(name, line, column, old))):
            print(f"  {number:3}  {name}:{line + 1}: {old} -> {CHANGED[old]}: changes nothing: {reason}", flush=True)
            continue
        tried += 1
        seen = notice(options.directory, program, number, target_of(name))
        print(f"  {number:3}  {name}:{line + 1}: {old} -> {CHANGED[old]}: {seen or 'SURVIVES'}", flush=True)
        if not seen:
            survivors.append(number)
    print(f"{tried} changes, {tried - len(survivors)} noticed" + (f"; survivors: {survivors}" if survivors else ""))
    sys.exit(2 if len(survivors) * 10 > tried else 0)


if __name__ == "__main__":
    main()
