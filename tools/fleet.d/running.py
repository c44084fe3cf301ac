# SPDX-License-Identifier: GPL-2.0-only
"""`fleet run`: captures in, OUT with a result or a failure of each."""
import re
import subprocess
import sys
import time

import results
from replaying import Order


def place(word):
    """`TAG:/path` of a machine that calls itself TAG, or a path that all workers have."""
    match = re.fullmatch(r"([A-Za-z0-9._-]+):(/.*)", word)
    return (match.group(1), match.group(2)) if match else ("", word)


def version(program):
    try:
        return subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit("fleet: %s: %s" % (program, error))


def run(options):
    """Exit status: 0, or 2 when a capture failed."""
    tool = version(options.cowscope)
    order = Order(options.cowscope, tool, options.seconds, results.known(options.out, tool))
    places = [place(word) for word in options.inputs]
    return alone(options, places, order) if options.alone else on_cluster(options, places, order)


def alone(options, places, order):
    import alone
    found = alone.listed(places)
    return collected(options, found, lambda tick: alone.answers(found, order, options.retries))


def on_cluster(options, places, order):
    import cluster
    with cluster.connected(options.scheduler, options.workers, options.retries) as (client, local):
        found = cluster.listed(client, places)
        killer = cluster.Killer(local if options.kill_one_worker else None, min(3, len(found)))
        work = cluster.Run(client, order, options.retries, options.patience)
        return collected(options, found, lambda tick: work.answers(found, tick), killer)


def collected(options, found, answers, killer=None):
    collection = results.Collection(options.out, len(found))
    progress = results.Progress(collection, options.quiet)
    progress.show(time.monotonic())
    for answer in answers(lambda: progress.show(time.monotonic())):
        collection.take(answer)
        progress.show(time.monotonic())
        if killer:
            killer.look(collection.done)
    collection.close()
    sys.stderr.write("fleet: %s\n" % collection.text())
    return 2 if collection.failures else 0
