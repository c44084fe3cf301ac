# SPDX-License-Identifier: GPL-2.0-only
"""One run of a program: CPU time, wall time and peak memory, its children included."""
import os
import statistics
import subprocess
import sys
import tempfile
from collections import namedtuple

from compiled import compiled

Figures = namedtuple("Figures", "cpu wall rss")


def run(command, allowed=(0,)):
    """Figures of one run; the exit status must be one of `allowed`."""
    with tempfile.NamedTemporaryFile() as written:
        done = subprocess.run(
            [compiled("timed"), written.name, *command], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        cpu, wall, peak, status = written.read().split() if done.returncode == 0 else (0, 0, 0, -1)
    if int(status) not in allowed:
        sys.stderr.write(done.stderr.decode(errors="replace"))
        sys.exit("bench: %s ended with status %s" % (" ".join(command), int(status)))
    return Figures(float(cpu), float(wall), int(peak) * 1024)


def show(progress):
    """One line that the next one replaces, for whoever watches."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K" + progress)
        sys.stderr.flush()


def all_runs(commands, rounds, allowed=(0,)):
    """Figures by name of `rounds` runs of each of {name: command}, in turn."""
    seen = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            label = name if isinstance(name, str) else ", ".join(name)
            show("round %d of %d: %s" % (number + 1, rounds, label))
            seen[name].append(run(command, allowed))
    show("")
    return seen


def interleaved(commands, rounds, allowed=(0,)):
    """Medians by name of what `all_runs` saw."""
    return {
        name: Figures(*(statistics.median(column) for column in zip(*runs)))
        for name, runs in all_runs(commands, rounds, allowed).items()}
