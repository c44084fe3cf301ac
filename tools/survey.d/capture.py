# SPDX-License-Identifier: GPL-2.0-only
"""One recording and what verify and replay say of it."""
import json
import os
import shutil
import subprocess

HEAD = (
    "| program | setting | records | decisions: checked / disagree / unknown | entries | pages | convicted | status |\n"
    "|---|---|---|---|---|---|---|---|")
SOUND = ("A-and-eager", "B", "C-strict")
SEVERE = ("UNSAFE", "UNSAFE-io", "DATA-LOSS", "CONS-pin", "LIVELOCK", "I1-BREAK")
SECONDS = 300


class Row:
    def __init__(self, records, verification, convicted, failure=None):
        self.records, self.convicted, self.failure = records, convicted, failure
        self.tallies = [verification.get(name, {}) for name in ("decisions", "entries", "pages")]
        self.causes = {**verification.get("disagreement_causes", {}), **verification.get("unknown_causes", {})}

    def total(self, what):
        return sum(tally.get(what, 0) for tally in self.tallies)

    @property
    def has_finding(self):
        checked = self.total("checked")
        return bool(self.failure or self.convicted or self.total("disagree") or self.total("unknown") * 100 > checked)

    def line(self, program, setting):
        figures = ["{:,} / {:,} / {:,}".format(*(t.get(n, 0) for n in ("checked", "disagree", "unknown"))) for t in self.tallies]
        said = self.failure or ("" if not self.has_finding else ", ".join("%s %d" % one for one in self.causes.items()))
        cells = [program, setting, "{:,}".format(self.records), *figures, " ".join(self.convicted), said]
        return "| " + " | ".join(cells) + " |"


class Total:
    def __init__(self):
        self.rows = []

    def add(self, row):
        self.rows.append(row)

    def sum(self, what):
        return sum(row.total(what) for row in self.rows)

    def text(self):
        checked, unknown = self.sum("checked"), self.sum("unknown")
        share = 100 * unknown / checked if checked else 0
        return "%d recordings: %s checked, %s disagree, %s unknown (%.2f %%), %d convict a sound encoding, %d failed" % (
            len(self.rows), "{:,}".format(checked), "{:,}".format(self.sum("disagree")), "{:,}".format(unknown), share,
            sum(bool(row.convicted) for row in self.rows), sum(bool(row.failure) for row in self.rows))

    @property
    def status(self):
        if self.sum("disagree") or any(row.convicted or row.failure for row in self.rows):
            return 2
        return 3 if self.sum("unknown") * 100 > self.sum("checked") else 0


def said(command, allowed=(0, 2, 3)):
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * SECONDS)
    return done.stdout if done.returncode in allowed else None


def taken(cowscope, program, setting, directory):
    shutil.rmtree(directory, ignore_errors=True)
    options = ["--snapshot-every", "500"] if "--snapshot-every" not in setting.options else []
    with program.prepared() as place:
        try:
            with setting.apply(program) as words:
                command = [cowscope, "record", "-q", "-o", directory, *options, *setting.options, "--", *words,
                           "sh", "-c", program.command]
                done = subprocess.run(
                    command, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
        except (subprocess.TimeoutExpired, OSError) as error:
            return Row(0, {}, [], "recording: %s" % error)
    if not os.path.exists(directory + "/capture.json"):
        return Row(0, {}, [], "recording: " + done.stderr.strip()[-100:])
    return judged(cowscope, directory)


def judged(cowscope, directory):
    verify, replay = (said([cowscope, verb, "-q", "--json", directory]) for verb in ("verify", "replay"))
    info = said([cowscope, "info", "-q", "--json", directory], (0,))
    if not verify or not replay or not info:
        return Row(0, {}, [], "verify, replay or info failed")
    convicted = set()
    for line in map(json.loads, replay.splitlines()):
        if line.get("type") == "divergence" and line["certainty"] == "definite" and line["verdict"] in SEVERE:
            if line["encoding"] in SOUND:
                convicted.add("%s:%s" % (line["encoding"], line["verdict"]))
    return Row(json.loads(info)["records"], json.loads(verify), sorted(convicted))
