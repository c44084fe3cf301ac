# SPDX-License-Identifier: GPL-2.0-only
"""Workloads by kind: those of tools/survey that belong here, and what it does not have."""
import glob
import os

import this_tree
import workloads
from workloads import Workload

PREFORK_DATABASE = (
    "chown postgres . && runuser -u postgres -- sh -c 'cd $0; PATH=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1):$PATH; "
    "initdb -D d -A trust >o; pg_ctl -D d -o \"-k $PWD -c listen_addresses=\" -w start >o; pgbench -h $PWD -i -q -s 2 postgres 2>o; "
    "pgbench -h $PWD -c 4 -T 3 postgres >o; pgbench -h $PWD -C -t 20 -c 4 postgres >o; pg_ctl -D d -m fast stop >o' $PWD")

# Grows, frees every other object, forks, frees the rest: what a long-running server does to its allocator.
CHURN = (
    "import os, random\nrandom.seed(1)\nfor r in range(5):\n  l = [bytes(random.randrange(16, 4096)) for i in range(40000)]\n"
    "  del l[::2]\n  p = os.fork()\n  if p == 0:\n    l.reverse()\n    os._exit(0)\n  l += [bytes(700) for i in range(20000)]\n"
    "  os.waitpid(p, 0)\n  del l")

# Workers of a loader read what the parent has; in Python to read is to write a reference count.
LOADER = (
    "import os\ndata = [(str(i) * 4, [i]) for i in range(250000)]\nfor epoch in range(3):\n  pids = []\n  for w in range(4):\n"
    "    p = os.fork()\n    if p == 0:\n      sum(len(a) + b[0] for a, b in data[w::4])\n      os._exit(0)\n    pids.append(p)\n"
    "  for i in range(0, len(data), 50): data[i][1][0] = epoch\n  [os.waitpid(p, 0) for p in pids]")


class Postgres(Workload):
    def is_there(self):
        return super().is_there() and bool(glob.glob("/usr/lib/postgresql/*/bin/initdb"))


class Preloaded(Workload):
    """With another allocator."""

    def __init__(self, name, library, package, settings=""):
        found = glob.glob("/usr/lib/*/" + library) + ["/" + library]
        super().__init__(name, "%s PYTHONMALLOC=malloc LD_PRELOAD=%s python3 -c \"%s\"" % (settings, found[0], CHURN), "python3", package)
        self.library = found[0]

    def is_there(self):
        return super().is_there() and os.path.exists(self.library)


def surveyed(*names):
    return [program for name in names for program in workloads.ALL if program.name == name]


KINDS = {
    "database": surveyed("sqlite") + [Postgres("postgres", PREFORK_DATABASE, "runuser", "postgresql")],
    "cache": [Workload("redis", os.path.join(this_tree.ROOT, "tools", "redis-workload"), "redis-server redis-benchmark",
                       "redis-server redis-tools")] + surveyed("memcached"),
    "prefork-server": surveyed("apache", "nginx"),
    "runtime": surveyed("java", "node", "sbcl", "guile", "lua", "pypy", "erlang"),
    "build": surveyed("make-gcc", "git"),
    "io_uring": surveyed("fio-io_uring"),
    "allocator": [Workload("glibc", "PYTHONMALLOC=malloc python3 -c \"%s\"" % CHURN, "python3"),
                  Preloaded("jemalloc", "libjemalloc.so.2", "libjemalloc2", "MALLOC_CONF=dirty_decay_ms:200,muzzy_decay_ms:200"),
                  Preloaded("tcmalloc", "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4")],
    "data-loader": [Workload("loader", "python3 -c \"%s\"" % LOADER, "python3")] + surveyed("multiprocessing"),
}
ALL = [(kind, program) for kind, programs in KINDS.items() for program in programs]
