# SPDX-License-Identifier: GPL-2.0-only
"""Captures on the workers of a Dask cluster, each where its data is."""
import contextlib
import os
import signal
import sys
import time

import dask
from distributed import Client, KilledWorker, LocalCluster, as_completed

import captures
import replaying

PREFIX = "at-"
# A worker offers this much of each of its tags, and a capture takes one: tags say where, threads how many at a time.
PLENTY = 1_000_000


def resources(tags):
    return {PREFIX + tag: PLENTY for tag in tags}


def wanted(at):
    return {PREFIX + at: 1} if at else {}


@contextlib.contextmanager
def connected(address, workers, retries):
    """A client of that scheduler, or of workers of our own, which end with it."""
    if address:
        with Client(address, timeout=30) as client:
            yield client, None
        return
    with dask.config.set({"distributed.scheduler.allowed-failures": retries}):
        with LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None,
                host="127.0.0.1", protocol="tcp", silence_logs="ERROR") as local, Client(local) as client:
            yield client, local


def listed(client, places):
    """Every capture of the places, as the machines that have them see them."""
    waiting = [client.submit(captures.found, at, path, pure=False, resources=wanted(at)) for at, path in places]
    return [capture for future in waiting for capture in client.gather(future)]


class Run:
    def __init__(self, client, order, retries, patience):
        self.client, self.order, self.retries, self.patience = client, order, retries, patience
        self.waiting, self.idle, self.looked = {}, {}, 0

    def answers(self, found, on_tick=lambda: None):
        """A result or failure of every capture, as they come."""
        # A task, so that it is made anew where the worker that had it died: what is scattered is not.
        order = self.client.submit(given, self.order, pure=False)
        for capture in found:
            future = self.client.submit(
                replaying.replay, capture, order, pure=False, retries=self.retries, resources=wanted(capture.at))
            self.waiting[future.key] = (capture, future)
        queue = as_completed([future for _, future in self.waiting.values()])
        while self.waiting:
            on_tick()
            for failure in self.stranded():
                yield failure
            future = self.next(queue)
            if future is None or future.key not in self.waiting:
                continue
            if future.status in ("lost", "pending"):
                # It was done, and its worker died before the answer was here: it is made again.
                queue.add(future)
                continue
            capture, _ = self.waiting.pop(future.key)
            yield self.answer(capture, future)

    @staticmethod
    def next(queue):
        """One that is done, within a second."""
        limit = time.monotonic() + 1
        while time.monotonic() < limit:
            if queue.has_ready():
                return next(queue)
            time.sleep(0.01)
        return None

    @staticmethod
    def answer(capture, future):
        error = future.exception() if future.status == "error" else None
        if error is None and future.status == "finished":
            return future.result()
        future.release()
        if isinstance(error, replaying.Again) or type(error).__name__ == "Again":
            return replaying.Failure(capture, *error.args)
        if isinstance(error, KilledWorker):
            return replaying.Failure(capture, "worker-lost", "every worker that took it died")
        return replaying.Failure(capture, "error", "%s: %s" % (type(error).__name__, error) if error else future.status)

    def stranded(self):
        """Captures that no worker has had the data of for too long: they are given up by name."""
        now = time.monotonic()
        if now - self.looked < 1:
            return
        self.looked = now
        nowhere = set(self.client.run_on_scheduler(unrunnable))
        self.idle = {key: self.idle.get(key, now) for key in nowhere if key in self.waiting}
        for key in [key for key, since in self.idle.items() if now - since >= self.patience]:
            capture, future = self.waiting.pop(key)
            future.cancel()
            yield replaying.Failure(capture, "no-worker", "no worker has the data of %s" % (capture.at or "it"))


def given(order):
    return order


def unrunnable(dask_scheduler):
    return [task.key for task in dask_scheduler.unrunnable]


class Killer:
    """For the test: one of our own workers dies once, when some captures are done."""

    def __init__(self, local, after):
        self.local, self.after = local, after

    def look(self, done):
        if self.local is None or done < self.after:
            return
        nanny = next(iter(self.local.workers.values()))
        sys.stderr.write("fleet: killing worker %d\n" % nanny.pid)
        os.kill(nanny.pid, signal.SIGKILL)
        self.local = None
