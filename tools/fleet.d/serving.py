# SPDX-License-Identifier: GPL-2.0-only
"""`fleet scheduler` and `fleet worker`: the parts of a cluster, in the foreground, for whatever starts services."""
import os
import sys

from cluster import resources


def dask():
    """Scheduler and workers know what tasks are made of from the files beside this one."""
    os.environ["PYTHONPATH"] = os.path.dirname(os.path.abspath(__file__))
    return [sys.executable, "-m", "dask"]


def scheduler(options):
    """Workers that say nothing for `--lost-after` seconds are gone: their captures are given to others."""
    os.environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"] = "%ds" % options.lost_after
    os.environ["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] = str(options.retries)
    words = ["scheduler", "--port", str(options.port), "--no-dashboard"]
    words += ["--host", options.host] if options.host else []
    os.execv(sys.executable, dask() + words)


def worker(options):
    tags = " ".join("%s=%d" % item for item in sorted(resources(options.at).items()))
    words = ["worker", options.scheduler, "--nworkers", str(options.workers), "--nthreads", "1", "--no-dashboard"]
    words += ["--resources", tags] if tags else []
    words += ["--host", options.host] if options.host else []
    words += ["--no-nanny"] if options.once else []
    words += ["--death-timeout", str(options.patience)]
    os.execv(sys.executable, dask() + words)
