# SPDX-License-Identifier: GPL-2.0-only
"""One workload in one setting, recorded once."""
import contextlib
import json
import os
import shutil
import subprocess

import settings

SIZES = [settings.THP + "hugepages-%dkB/enabled" % size for size in (16, 64, 256)]
ENABLED = settings.THP + "enabled"
SCAN = settings.THP + "khugepaged/scan_sleep_millisecs"
# mthp: sizes below a PMD alone. Huge pages by default are looked for so often that short programs meet khugepaged.
SETTINGS = {
    "never": {ENABLED: "never", **{size: "never" for size in SIZES}},
    "always": {ENABLED: "always", SCAN: "100", **{size: "never" for size in SIZES}},
    "mthp": {ENABLED: "never", **{size: "always" for size in SIZES}},
}
SECONDS = 180


def journal(directory):
    return os.path.join(directory, "changed.json")


def undo(directory):
    """What a step that was killed has left changed."""
    if not os.path.exists(journal(directory)):
        return
    with open(journal(directory)) as file:
        for path, value in json.load(file).items():
            settings.write(path, value)
    os.unlink(journal(directory))


@contextlib.contextmanager
def changed(wanted, directory):
    """Writes {path: value}; what was there is on disk before, and comes back."""
    old = {path: settings.chosen(path) for path in wanted if os.path.exists(path)}
    with open(journal(directory) + ".new", "w") as file:
        json.dump(old, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(journal(directory) + ".new", journal(directory))
    try:
        for path in old:
            settings.write(path, wanted[path])
        yield
    finally:
        undo(directory)


class Step:
    def __init__(self, program, setting, run):
        self.program, self.setting, self.run = program, setting, run
        self.name = "%s-%s-%d" % (program.name, setting, run)

    def take(self, cowscope, directory, host):
        """Records; returns what became of it, in a word."""
        place = os.path.join(directory, "captures", "host=" + host, "workload=" + self.program.name)
        capture = os.path.join(place, "%s-%d.cow" % (self.setting, self.run))
        if is_whole(capture):
            return "is there"
        if not self.program.is_there():
            return "left out: %s missing" % " ".join(self.program.needs)
        shutil.rmtree(capture, ignore_errors=True)
        os.makedirs(place, exist_ok=True)
        with changed(SETTINGS[self.setting], directory), self.program.prepared() as here:
            command = [cowscope, "record", "-q", "-o", capture, "--snapshot-every", "1000", "--", "sh", "-c", self.program.command]
            try:
                done = subprocess.run(
                    command, cwd=here, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return "failed: not done within %d s" % SECONDS
        return "recorded" if is_whole(capture) else "failed: " + done.stderr.strip()[-200:]


def is_whole(capture):
    return os.path.exists(capture + "/capture.json") and not os.path.exists(capture + "/incomplete")
