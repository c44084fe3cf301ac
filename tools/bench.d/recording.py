# SPDX-License-Identifier: GPL-2.0-only
"""What recording costs: a fixed workload alone, under cowscope record, and under perf record of the same events."""
import json
import os
import shutil
import sys
import tempfile

import captures
import measure
from compiled import CACHE, compiled

# At most: CPU time with recording by CPU time without, and our overhead by perf's.
ON_OFF, AGAINST_PERF = 1.40, 0.6


def run(cowscope, rounds):
    workload = [compiled("churn"), "300", "4", "2"]
    with tempfile.TemporaryDirectory(dir=CACHE) as directory:
        output = os.path.join(directory, "churn.cow")
        record = [cowscope, "record", "-q", "-o", output, "--snapshot-every", "0", "--"] + workload
        measure.run(record)
        with open(os.path.join(output, "capture.json")) as file:
            manifest = json.load(file)
        records = captures.records_of(cowscope, output)
        lost = sum(cpu["overrun"] + cpu["dropped"] for cpu in manifest["cpuStats"])
        rows = {"alone": workload, "cowscope record": record}
        if shutil.which("perf"):
            events = ",".join(event for event in manifest["events"]["enabled"] if not event.startswith("ftrace:"))
            rows["perf record"] = ["perf", "record", "-q", "-o", os.path.join(directory, "perf.data"), "-m", "16M", "-e",
                                   events, "--"] + workload
        else:
            sys.stderr.write("bench: perf is missing, its row is left out (apt-get install linux-perf)\n")
        figures = measure.interleaved(rows, rounds)
    alone = figures["alone"]
    print("churn: %s records, %d lost, medians of %d" % (format(records, ","), lost, rounds))
    for name, one in figures.items():
        print("%-18s CPU %6.2f s  x %4.2f   wall %6.2f s  x %4.2f" % (
            name, one.cpu, one.cpu / alone.cpu, one.wall, one.wall / alone.wall))
    ours = figures["cowscope record"].cpu / alone.cpu
    print("  CPU on/off %.2f, wanted at most %.2f: %s" % (ours, ON_OFF, "met" if ours <= ON_OFF else "NOT MET"))
    print("  %.0f ns of CPU per record" % ((figures["cowscope record"].cpu - alone.cpu) / records * 1e9))
    if "perf record" in figures:
        share = (figures["cowscope record"].cpu - alone.cpu) / (figures["perf record"].cpu - alone.cpu)
        print("  overhead by perf's %.2f, wanted at most %.2f: %s" % (
            share, AGAINST_PERF, "met" if share <= AGAINST_PERF else "NOT MET"))
    return {"records": records, "lost": lost, "rounds": rounds,
            "programs": {name: one._asdict() for name, one in figures.items()}}
