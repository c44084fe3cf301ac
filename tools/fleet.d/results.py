# SPDX-License-Identifier: GPL-2.0-only
"""OUT: a file per capture, and failures.ndjson; what is there is whole."""
import json
import os
import sys


def known(out, tool):
    """(hash, host, workload) of every result that this program left here."""
    keys = set()
    for path in files(out):
        origin = last_line(path)
        if origin.get("type") == "origin" and origin.get("tool") == tool:
            keys.add((origin["capture"], origin["host"], origin.get("workload") or ""))
    return frozenset(keys)


def files(out):
    for directory, below, names in os.walk(out):
        below.sort()
        for name in sorted(names):
            if name.startswith("capture=") and name.endswith(".ndjson"):
                yield os.path.join(directory, name)


def last_line(path):
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 65536))
        lines = file.read().splitlines()
    try:
        return json.loads(lines[-1])
    except (IndexError, ValueError):
        return {}


def put(path, content):
    """In place at once, after it is on disk."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    draft = "%s.%d.new" % (path, os.getpid())
    try:
        with open(draft, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, path)
    except BaseException:
        if os.path.exists(draft):
            os.unlink(draft)
        raise


class Collection:
    """What comes in, in any order; what is left does not depend on it."""

    def __init__(self, out, total):
        self.out, self.total = out, total
        self.failures, self.first, self.done, self.same, self.twins = [], {}, 0, 0, 0

    def take(self, answer):
        if hasattr(answer, "reason"):
            self.failures.append(answer)
        elif answer.content is None:
            self.same += 1
        else:
            self.place(answer)
        self.done += 1

    def place(self, result):
        """Two paths may lead to one capture of one host: the first by name is kept."""
        key = (result.capture.at, result.capture.path)
        if result.path in self.first:
            self.twins += 1
            if self.first[result.path] < key:
                return
        self.first[result.path] = key
        put(os.path.join(self.out, result.path), result.content)

    def close(self):
        rows = ({"at": one.capture.at, "path": one.capture.path, "host": one.capture.host, "reason": one.reason,
                 "detail": one.detail} for one in sorted(self.failures))
        text = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)
        put(os.path.join(self.out, "failures.ndjson"), text.encode())

    def text(self):
        parts = ["%d of %d captures" % (self.done, self.total)]
        parts += ["%d were there" % self.same] if self.same else []
        parts += ["%d are the same as another" % self.twins] if self.twins else []
        parts += ["%d failed, see %s/failures.ndjson" % (len(self.failures), self.out)] if self.failures else []
        return ", ".join(parts)


class Progress:
    """A line every few seconds, on a terminal the same one."""

    def __init__(self, collection, is_quiet):
        self.collection, self.is_quiet, self.at = collection, is_quiet, 0

    def show(self, now):
        if self.is_quiet or now - self.at < 2:
            return
        self.at = now
        end = "\r" if sys.stderr.isatty() else "\n"
        sys.stderr.write("fleet: " + self.collection.text() + end)
        sys.stderr.flush()
