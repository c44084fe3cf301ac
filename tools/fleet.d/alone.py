# SPDX-License-Identifier: GPL-2.0-only
"""One capture after the other in this process, without Dask: what a cluster has to come to as well."""
import captures
import replaying


def listed(places):
    return [capture for at, path in places for capture in captures.found(at, path)]


def answers(found, order, retries):
    for capture in found:
        yield answer(capture, order, retries)


def answer(capture, order, retries):
    for attempt in range(retries + 1):
        try:
            return replaying.replay(capture, order)
        except replaying.Again as again:
            if attempt == retries:
                return replaying.Failure(capture, *again.args)
