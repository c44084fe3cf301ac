# SPDX-License-Identifier: GPL-2.0-only
"""Settings of the host in which programs are recorded; each puts back what it changed."""
import contextlib
import os
import subprocess
import tempfile
import threading

THP = "/sys/kernel/mm/transparent_hugepage/"
KSM = "/sys/kernel/mm/ksm/"


class Setting:
    """`apply`: what is entered around a recording, given the program. `options`: of `cowscope record`."""

    def __init__(self, apply=None, options=()):
        self.apply, self.options = apply or (lambda program: contextlib.nullcontext([])), list(options)


def read(path):
    with open(path) as file:
        return file.read().strip()


def write(path, value):
    with open(path, "w") as file:
        file.write(value)


def chosen(path):
    """Of `always [madvise] never`, or of a number."""
    text = read(path)
    return text[text.index("[") + 1:text.index("]")] if "[" in text else text


@contextlib.contextmanager
def values(wanted):
    """Writes {path: value}; what was there comes back. Yields words to put before the command: none."""
    old = {path: chosen(path) for path in wanted if os.path.exists(path)}
    try:
        for path in old:
            write(path, wanted[path])
        yield []
    finally:
        for path, value in old.items():
            write(path, value)


def thp(_):
    return values({THP + "enabled": "always", THP + "khugepaged/scan_sleep_millisecs": "100"})


def mthp(_):
    sizes = {THP + "hugepages-%dkB/enabled" % size: "always" for size in (16, 64, 256)}
    return values({THP + "enabled": "always", **sizes})


@contextlib.contextmanager
def ksm(_):
    # PR_SET_MEMORY_MERGE is inherited by every child.
    merge = ["python3", "-c", "import ctypes, os, sys; ctypes.CDLL(None).prctl(67, 1, 0, 0, 0); os.execvp(sys.argv[1], sys.argv[1:])"]
    with values({KSM + "run": "1", KSM + "sleep_millisecs": "10", KSM + "pages_to_scan": "2000"}):
        try:
            yield merge
        finally:
            write(KSM + "run", "2")


@contextlib.contextmanager
def compaction(_):
    stop = threading.Event()

    def compact():
        while not stop.wait(0.2):
            write("/proc/sys/vm/compact_memory", "1")

    thread = threading.Thread(target=compact)
    thread.start()
    try:
        yield []
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def swapfile():
    descriptor, path = tempfile.mkstemp(prefix="cowscope-swap-")
    os.close(descriptor)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
    try:
        subprocess.run(["dd", "if=/dev/zero", "of=" + path, "bs=1M", "count=1024"], **quiet)
        subprocess.run(["mkswap", path], **quiet)
        subprocess.run(["swapon", path], **quiet)
        try:
            yield
        finally:
            subprocess.run(["swapoff", path], **quiet)
    finally:
        os.unlink(path)


def cgroups():
    """The directory of the memory controller and its file of the limit, of either version."""
    for directory, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        if os.path.exists(directory + "/cgroup.procs"):
            return directory, limit
    raise FileNotFoundError("no memory controller")


@contextlib.contextmanager
def swap(program):
    parent, limit = cgroups()
    group = os.path.join(parent, "cowscope-survey-%d" % os.getpid())
    os.mkdir(group)
    try:
        with swapfile():
            write(os.path.join(group, limit), str(program.megabytes << 20))
            yield ["sh", "-c", 'echo $$ >"$0"/cgroup.procs && exec "$@"', group]
    finally:
        os.rmdir(group)


@contextlib.contextmanager
def swap_mthp(program):
    with mthp(program), swap(program) as words:
        yield words


ALL = {
    "plain": Setting(),
    "snapshots": Setting(options=["--snapshot-every", "50"]),
    "thp": Setting(thp),
    "mthp": Setting(mthp),
    "swap": Setting(swap),
    "swap-mthp": Setting(swap_mthp),
    "ksm": Setting(ksm),
    "compaction": Setting(compaction),
    "host": Setting(options=["-a"]),
}
