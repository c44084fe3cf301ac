# SPDX-License-Identifier: GPL-2.0-only
"""What is measured: cowscope's verbs, peers, and C programs as ceilings."""
import os
import shutil
import sys

import measure
import this_tree
from compiled import CACHE, compiled
from plan import plan


def cowscope(binary, configuration):
    if binary:
        return binary
    sys.stderr.write("swift build -c %s --product cowscope\n" % configuration)
    return this_tree.built(configuration)


def commands(cowscope, capture):
    """{name: command}; names are the rows of the table."""
    where = os.path.join(CACHE, capture.name + ".plan")
    with open(where, "w") as file:
        file.write(plan(capture.trace))
    walk, iterate = compiled("walk"), compiled("iterate", ("libtracecmd", "libtraceevent"))
    rows = {}
    if shutil.which("trace-cmd"):
        rows["trace-cmd report"] = ["trace-cmd", "report", "-i", capture.trace]
    else:
        sys.stderr.write("bench: trace-cmd is missing, its row is left out (apt-get install trace-cmd)\n")
    rows["libtracecmd, 3 fields"] = [iterate, "fields", capture.trace]
    rows["C record headers"] = [walk, "headers", where, capture.trace]
    rows["C merge, 3 fields"] = [walk, "merge", where, capture.trace]
    rows["script --count"] = [cowscope, "script", "-q", "--count", capture.directory]
    rows["replay --encoding baseline"] = [cowscope, "replay", "-q", "--encoding", "baseline", capture.directory]
    rows["replay"] = [cowscope, "replay", "-q", capture.directory]
    rows["verify"] = [cowscope, "verify", "-q", capture.directory]
    return rows


def measured(cowscope, capture, rounds):
    # 2 and 3: a disagreement, or nothing to compare. That is verify's business, not this one's.
    figures = measure.interleaved(commands(cowscope, capture), rounds, allowed=(0, 2, 3))
    return {
        "capture": capture.name, "records": capture.records, "bytes": os.path.getsize(capture.trace), "rounds": rounds,
        "programs": {name: one._asdict() for name, one in figures.items()}}
