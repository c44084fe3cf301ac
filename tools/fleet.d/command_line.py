# SPDX-License-Identifier: GPL-2.0-only
"""Verbs and options of tools/fleet."""
import argparse
import os
import shutil
import sys

import environment


def program():
    """A cowscope that is installed, else the release build of this tree."""
    import this_tree
    built = os.path.join(this_tree.ROOT, ".build", "release", "cowscope")
    return built if os.path.exists(built) else shutil.which("cowscope") or "cowscope"


def arguments(words, about):
    parser = argparse.ArgumentParser(prog="fleet", description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--venv", metavar="DIR", help="the environment to use, made when it is not there")
    common.add_argument("-q", "--quiet", action="store_true", help="no progress")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run(verbs.add_parser("run", parents=[common], help="replay captures"))
    scheduler(verbs.add_parser("scheduler", parents=[common], help="the scheduler of a cluster, in the foreground"))
    worker(verbs.add_parser("worker", parents=[common], help="workers of this machine, in the foreground"))
    report(verbs.add_parser("report", parents=[common], help="what results say; of two sets, what became worse"))
    query = verbs.add_parser("query", parents=[common], help="a question in SQL about results")
    query.add_argument("out", metavar="OUT")
    query.add_argument("sql", metavar="SQL", help="SHOW TABLES lists them")
    return parser.parse_args(words)


def run(parser):
    parser.add_argument("inputs", metavar="IN", nargs="+", help="a capture, a directory of captures, or TAG:/path")
    parser.add_argument("-o", "--out", metavar="OUT", required=True)
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a cluster that is there")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes of our own (%(default)s)")
    parser.add_argument("--alone", action="store_true", help="in this process, without Dask")
    parser.add_argument("--retries", type=int, default=2, help="of what crashes, takes too long or loses its worker (2)")
    parser.add_argument("--seconds", type=int, default=3600, help="for one capture (%(default)s)")
    parser.add_argument("--patience", type=int, default=600, help="seconds without a worker that has the data (600)")
    parser.add_argument("--cowscope", default=program(), help="the program, by a name that holds on every worker")
    parser.add_argument("--kill-one-worker", action="store_true", help="for the test: one of our own, in the middle")


def scheduler(parser):
    parser.add_argument("--host", help="address to listen at")
    parser.add_argument("--port", type=int, default=8786)
    parser.add_argument("--lost-after", type=int, default=60, help="seconds of silence (%(default)s)")
    parser.add_argument("--retries", type=int, default=2, help="workers that a capture may lose (%(default)s)")


def worker(parser):
    parser.add_argument("scheduler", metavar="ADDRESS")
    parser.add_argument("--at", action="append", default=[], metavar="TAG", help="data that is here (repeatable)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (%(default)s)")
    parser.add_argument("--host", help="address of this machine")
    parser.add_argument("--once", action="store_true", help="what dies stays dead: another program starts workers again")
    parser.add_argument("--patience", type=int, default=600, help="seconds without a scheduler (%(default)s)")


def report(parser):
    parser.add_argument("sets", metavar="OUT", nargs="+", help="results of `run`, or tables of --parquet; two: old and new")
    parser.add_argument("--html", metavar="F", help="the same as one page")
    parser.add_argument("--parquet", metavar="DIR", help="leave the tables there besides")
    parser.add_argument("--fail-on-worse", action="store_true", help="of two sets: exit with 2 where something became worse")


def main(script, about):
    words = sys.argv[1:]
    options = arguments(words, about)
    if not getattr(options, "alone", False):
        environment.entered(script, words, options.venv)
    if options.verb == "run":
        import running
        return running.run(options)
    if options.verb in ("scheduler", "worker"):
        import serving
        return getattr(serving, options.verb)(options)
    import asking
    return getattr(asking, options.verb)(options)
