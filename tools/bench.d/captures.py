# SPDX-License-Identifier: GPL-2.0-only
"""The captures that are measured: made once by this machine, kept outside the tree."""
import json
import os
import shutil
import subprocess
import sys

import measure
from compiled import CACHE, ROOT, compiled



class Capture:
    def __init__(self, name, records):
        self.name, self.records = name, records
        self.directory = os.path.join(CACHE, name + ".cow")
        self.trace = os.path.join(self.directory, "trace.dat")


def records_of(cowscope, directory):
    said = subprocess.run([cowscope, "info", "--json", directory], capture_output=True, check=True).stdout
    return json.loads(said)["records"]


def record(cowscope, directory, command):
    for program in command[:1]:
        if not shutil.which(program):
            sys.exit("bench: %s is missing; install it (apt-get install stress-ng redis-server redis-tools)" % program)
    said = "recording %s" % " ".join(command)
    sys.stderr.write(said + "\n")
    measure.run([cowscope, "record", "-q", "-o", directory, "--snapshot-every", "0", "--"] + command, allowed=(0, 3))


def stress(cowscope, name, wanted, seconds):
    """stress-ng's mmapfork and fork stressors, longer until there are records enough."""
    directory = os.path.join(CACHE, name + ".cow")
    while True:
        if os.path.isdir(directory):
            count = records_of(cowscope, directory)
            if count >= wanted:
                return Capture(name, count)
            shutil.rmtree(directory)
            seconds *= 2
        record(
            cowscope, directory,
            ["stress-ng", "--quiet", "--mmapfork", "1", "--fork", "1", "--timeout", "%ds" % seconds])


def churn(cowscope, name, rounds):
    """Our own stress, of a fixed amount of work."""
    directory = os.path.join(CACHE, name + ".cow")
    if not os.path.isdir(directory):
        record(cowscope, directory, [compiled("churn"), str(rounds), "4", "2"])
    return Capture(name, records_of(cowscope, directory))


def redis(cowscope):
    directory = os.path.join(CACHE, "redis.cow")
    if not os.path.isdir(directory):
        record(cowscope, directory, [os.path.join(ROOT, "tools", "redis-workload")])
    return Capture("redis", records_of(cowscope, directory))


def prepare(cowscope, quick):
    os.makedirs(CACHE, exist_ok=True)
    if quick:
        return [churn(cowscope, "churn", 150)]
    return [stress(cowscope, "stress", 10_000_000, 1), churn(cowscope, "churn", 150), redis(cowscope)]
