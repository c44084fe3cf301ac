# SPDX-License-Identifier: GPL-2.0-only
"""One capture, replayed by cowscope: a result, or a failure with a name. Runs where the capture is."""
import os
import shutil
import signal
import subprocess
from typing import NamedTuple

import captures
import scratch


class Result(NamedTuple):
    """`path`: below OUT. `content` is `None` where OUT has it already."""
    capture: captures.Capture
    path: str
    content: bytes | None


class Failure(NamedTuple):
    capture: captures.Capture
    reason: str
    detail: str


class Order(NamedTuple):
    """`known`: (hash, host, workload) of results that `tool`, this very program, left in OUT before."""
    program: str
    tool: str
    seconds: int
    known: frozenset


class Again(Exception):
    """What may end otherwise the next time: a crash, a limit of time."""


def replay(capture, order):
    """A result or a failure; raises `Again` where another attempt is worth it."""
    try:
        name = captures.content_hash(capture.path)
    except OSError as error:
        return Failure(capture, "unreadable", error.strerror)
    if (name, capture.host, capture.workload) in order.known:
        return Result(capture, "", None)
    with scratch.directory() as place:
        return replayed(capture, order, name, place)


def replayed(capture, order, name, place):
    words = [order.program, "replay", "-q", capture.path, "--result", place, "--host", capture.host]
    if capture.workload:
        words += ["--workload", capture.workload]
    # A worker that dies leaves no replay behind.
    if shutil.which("setpriv"):
        words = ["setpriv", "--pdeathsig", "KILL", *words]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=order.seconds)
    except subprocess.TimeoutExpired:
        raise Again("too-long", "no result after %d s" % order.seconds) from None
    except OSError as error:
        return Failure(capture, "no-program", "%s: %s" % (order.program, error.strerror))
    said = done.stderr.decode(errors="replace").strip().split("\n")[-1]
    if done.returncode < 0:
        raise Again("crashed", signal.Signals(-done.returncode).name)
    # 3: not to be relied on, and the result says why.
    if done.returncode not in (0, 3):
        return Failure(capture, "refused", said)
    return collected(capture, order, name, place)


def collected(capture, order, name, place):
    files = [os.path.join(directory, file) for directory, _, some in os.walk(place) for file in some]
    if len(files) != 1 or os.path.basename(files[0]) != "capture=%s.ndjson" % name:
        return Failure(capture, "changed", "the capture changed while it was replayed")
    with open(files[0], "rb") as file:
        content = file.read()
    if ('"tool":"%s"' % order.tool).encode() not in content[content.rfind(b"\n", 0, -1):]:
        return Failure(capture, "other-program", "not replayed by %s" % order.tool)
    return Result(capture, os.path.relpath(files[0], place), content)
