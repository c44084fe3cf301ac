# SPDX-License-Identifier: GPL-2.0-only
"""Two builds of cowscope beside each other: whether a change made anything slower, or larger."""
import subprocess

import measure

# A figure of the new build by the old one's, at most.
WORSE = 1.05
VERBS = {
    "script --count": ["script", "-q", "--count"],
    "replay --encoding baseline": ["replay", "-q", "--encoding", "baseline"],
    "replay": ["replay", "-q"],
    "replay, no audit": ["replay", "-q"],
    "verify": ["verify", "-q"],
}
WITHOUT_AUDITS = ["--audit", "none"]


def knows_audits(binary):
    """Builds of before there were audits replay without them."""
    return "--audit" in subprocess.run([binary, "replay", "--help"], capture_output=True, text=True).stdout


def run(old, new, capture, rounds):
    """Rows of CPU time, wall time and peak memory of both, and their ratios: of minima, which noise only raises."""
    commands = {}
    for name, verb in VERBS.items():
        for build, binary in (("old", old), ("new", new)):
            more = WITHOUT_AUDITS if name == "replay, no audit" and knows_audits(binary) else []
            commands[name, build] = [binary, *verb, *more, capture.directory]
    runs = measure.all_runs(commands, rounds, allowed=(0, 2, 3))
    print("%s: %s records, minima of %d" % (capture.name, format(capture.records, ","), rounds))
    print("%-28s %20s %20s %20s" % ("", "CPU s   old -> new", "wall s  old -> new", "peak MB old -> new"))
    rows = {}
    for name in VERBS:
        old_least, new_least = (
            measure.Figures(*map(min, zip(*runs[name, build]))) for build in ("old", "new"))
        rows[name] = {"old": old_least._asdict(), "new": new_least._asdict()}
        cells = []
        for unit, before, after in zip((1, 1, 1e6), old_least, new_least):
            cells.append("%6.2f %6.2f x%5.2f" % (before / unit, after / unit, after / before))
        print("%-28s %s" % (name, " ".join("%20s" % cell for cell in cells)))
    worst, name, figure = max(
        (row["new"][figure] / row["old"][figure], name, figure) for name, row in rows.items() for figure in row["old"])
    print("  worst: %s of %s x %.2f, wanted at most %.2f: %s\n" % (
        figure, name, worst, WORSE, "met" if worst <= WORSE else "NOT MET"))
    return {"capture": capture.name, "records": capture.records, "rounds": rounds, "programs": rows}
