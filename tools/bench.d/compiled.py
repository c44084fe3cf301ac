# SPDX-License-Identifier: GPL-2.0-only
"""The C programs of this directory, compiled when they are wanted, and where all that is made once is kept."""
import functools
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "cowscope-bench")


@functools.cache
def compiled(name, packages=(), flags=()):
    """Path of the compiled program."""
    os.makedirs(CACHE, exist_ok=True)
    source, program = os.path.join(HERE, name + ".c"), os.path.join(CACHE, name)
    libraries = []
    if packages:
        found = subprocess.run(["pkg-config", "--cflags", "--libs", *packages], capture_output=True, text=True)
        if found.returncode != 0:
            sys.exit("bench: %s is missing; install libtracecmd-dev" % " ".join(packages))
        libraries = found.stdout.split()
    subprocess.run(["cc", "-O3", "-o", program, source, *flags, *libraries], check=True)
    return program
