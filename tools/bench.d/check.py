# SPDX-License-Identifier: GPL-2.0-only
"""Thresholds that hold on any machine, however busy: allocations per record, and memory that does not grow with the
length of a trace. Tried on the bundled capture, as it is and repeated."""
import os
import subprocess
import tempfile

import captures
import measure
from compiled import ROOT, compiled
from lengthen import lengthen

BUNDLED = os.path.join(ROOT, "fixtures", "captures", "6.18-shell", "trace.dat")

# How often the bundled capture is repeated; less for a debug build, which is slow.
LENGTHS = {"release": (16, 64), "debug": (4, 16)}
# Allocations per record beyond those of opening a capture, at most. Without the optimiser, closures, generics and what
# `defer` holds are allocated: one more in a loop shows all the same.
ALLOCATIONS = {"release": {"script": 0.01, "replay": 3.0}, "debug": {"script": 3.0, "replay": 240.0}}
VERBS = {"script": ["script", "-q", "--count"], "replay": ["replay", "-q", "--json"]}
# Growth of peak memory for a trace four times as long, at most, in bytes: what is mapped of a CPU's area at a time may be
# huge pages of the page cache where the file has them.
GROWTH = 16 << 20


def allocations(command, preload, directory):
    counted = os.path.join(directory, "allocations")
    subprocess.run(
        command, env=dict(os.environ, LD_PRELOAD=preload, ALLOCATIONS=counted), stdout=subprocess.DEVNULL, check=True)
    with open(counted) as file:
        return int(file.read())


def run(cowscope, is_debug):
    build = "debug" if is_debug else "release"
    preload = compiled("allocations", flags=("-shared", "-fPIC"))
    failures = 0

    def judge(what, value, limit, unit):
        nonlocal failures
        failures += value > limit
        print("%-48s %12.4f %s, at most %g: %s" % (what, value, unit, limit, "ok" if value <= limit else "NOT OK"))

    with tempfile.TemporaryDirectory() as directory:
        short, long = os.path.join(directory, "short.dat"), os.path.join(directory, "long.dat")
        for path, times in zip((short, long), LENGTHS[build]):
            lengthen(BUNDLED, path, times)
        added = captures.records_of(cowscope, long) - captures.records_of(cowscope, short)
        for name, verb in VERBS.items():
            more = allocations([cowscope, *verb, long], preload, directory) - allocations(
                [cowscope, *verb, short], preload, directory)
            judge("%s: allocations per record" % name, more / added, ALLOCATIONS[build][name], "")
        for form, pair in (("version 6", (short, long)), ("version 7, zstd", (compress(short), compress(long)))):
            if all(pair):
                peaks = [measure.run([cowscope, "script", "-q", "--count", path]).rss for path in pair]
                judge("script, %s: peak memory" % form, (peaks[1] - peaks[0]) / 1e6, GROWTH / 1e6, "MB more")
    return 1 if failures else 0


def compress(path):
    """The same trace as version 7 with zstd, where trace-cmd is there to make it."""
    target = path + ".zstd"
    command = ["trace-cmd", "convert", "-i", path, "-o", target, "--file-version", "7", "--compression", "zstd"]
    try:
        done = subprocess.run(command, capture_output=True)
    except FileNotFoundError:
        return None
    return target if done.returncode == 0 else None
