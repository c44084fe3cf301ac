# SPDX-License-Identifier: GPL-2.0-only
"""Captures: where they are, what they are called, and what they hold."""
import hashlib
import os
import re
from typing import NamedTuple

FILES = ("capture.json", "header.dat", "incomplete", "snapshots.bin", "trace.dat")
TRACES = (".dat", ".txt", ".trace")


class Capture(NamedTuple):
    """`at`: the machine that has it; empty: every one. `host`: whose memory it is about."""
    at: str
    path: str
    host: str
    workload: str


def found(at, path):
    """All captures at or below a path, in the order of their names."""
    return [Capture(at, one, label(one, "host") or at or "unknown", label(one, "workload")) for one in sorted(paths(path))]


def paths(path):
    if os.path.isfile(path) or is_capture(path):
        yield path
        return
    for entry in os.scandir(path):
        # A link to a capture is one; what else a link leads to may lead back.
        if entry.is_dir(follow_symlinks=False) or entry.is_dir() and is_capture(entry.path):
            yield from paths(entry.path)
        elif entry.name.endswith(TRACES):
            yield entry.path


def is_capture(path):
    return any(os.path.exists(os.path.join(path, name)) for name in ("trace.dat", "capture.json"))


def label(path, name):
    """Of `.../host=a/...`; empty where there is none."""
    labels = re.findall(r"(?:^|/)%s=([^/]+)(?=/)" % name, path)
    return labels[-1] if labels else ""


def content_hash(path):
    """As `cowscope replay --result` names its file (docs/json.md)."""
    if not os.path.isdir(path):
        return file_hash(path)
    names = [name for name in FILES if os.path.exists(os.path.join(path, name))]
    raw = os.path.join(path, "raw")
    if os.path.isdir(raw):
        ours = re.compile(r"(buffers\.json|[^.]+\.cpu[0-9]+)(\.new)?")
        names += ["raw/" + name for name in os.listdir(raw) if ours.fullmatch(name)]
    names.sort(key=os.fsencode)
    lines = "".join("%s  %s\n" % (file_hash(os.path.join(path, name)), name) for name in names)
    return hashlib.sha256(lines.encode()).hexdigest()


def file_hash(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 22):
            digest.update(piece)
    return digest.hexdigest()
