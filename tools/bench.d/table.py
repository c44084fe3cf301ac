# SPDX-License-Identifier: GPL-2.0-only
"""The figures as one table, the targets, and JSON."""
import json

# (program, measured against, at least so many times as fast in CPU time)
TARGETS = [
    ("script --count", "trace-cmd report", 80), ("script --count", "libtracecmd, 3 fields", 5),
    ("script --count", "C merge, 3 fields", 0.5), ("replay", "trace-cmd report", 25)]
# replay's wall time by its CPU time, at most: reading and model work on two threads.
OVERLAP = 0.7


def ratio(programs, name, reference):
    if name not in programs or reference not in programs:
        return None
    return programs[reference]["cpu"] / programs[name]["cpu"]


def show(result):
    programs, records = result["programs"], result["records"]
    print("%s: %s records, %.0f MB, medians of %d" % (
        result["capture"], format(records, ","), result["bytes"] / 1e6, result["rounds"]))
    print("%-28s %9s %9s %8s %10s %10s %9s %9s %9s" % (
        "", "CPU s", "wall s", "wall/CPU", "ns/record", "peak MB", "x report", "x libtc", "x C merge"))
    for name, one in programs.items():
        against = [ratio(programs, name, other) for other in (
            "trace-cmd report", "libtracecmd, 3 fields", "C merge, 3 fields")]
        print("%-28s %9.2f %9.2f %8.2f %10.1f %10.0f %s" % (
            name, one["cpu"], one["wall"], one["wall"] / one["cpu"], one["cpu"] / records * 1e9, one["rss"] / 1e6,
            " ".join("%9s" % ("-" if value is None else "%.2f" % value) for value in against)))
    result["targets"] = []
    for name, reference, wanted in TARGETS:
        value = ratio(programs, name, reference)
        if value is not None:
            result["targets"].append({"program": name, "against": reference, "wanted": wanted, "reached": value})
            print("  %-16s %6.2f x %-22s wanted %5.2f  %s" % (
                name, value, reference, wanted, "met" if value >= wanted else "NOT MET"))
    overlap = programs["replay"]["wall"] / programs["replay"]["cpu"]
    result["overlap"] = {"wanted": OVERLAP, "reached": overlap}
    print("  %-16s %6.2f wall by CPU            wanted %5.2f  %s\n" % (
        "replay", overlap, OVERLAP, "met" if overlap <= OVERLAP else "NOT MET"))


def write_json(result, path):
    if path:
        with open(path, "w") as file:
            json.dump(result, file, indent=2)
            file.write("\n")
    return 0
