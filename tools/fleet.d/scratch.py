# SPDX-License-Identifier: GPL-2.0-only
"""A directory for one replay. Who is killed leaves it: whoever comes next on that machine takes it away."""
import contextlib
import fcntl
import os
import shutil
import tempfile
import time

PREFIX = "cowscope-fleet-"
# Between its making and its locking a directory looks like one that was left.
YOUNG = 60


@contextlib.contextmanager
def directory():
    sweep()
    place = tempfile.mkdtemp(prefix=PREFIX)
    try:
        lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield place
        finally:
            os.close(lock)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def sweep():
    for entry in os.scandir(tempfile.gettempdir()):
        if entry.name.startswith(PREFIX):
            with contextlib.suppress(OSError):
                take_away(entry.path)


def take_away(place):
    status = os.stat(place, follow_symlinks=False)
    if status.st_uid != os.geteuid() or time.time() - status.st_mtime < YOUNG:
        return
    lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(lock)
