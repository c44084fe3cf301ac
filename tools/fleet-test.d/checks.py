# SPDX-License-Identifier: GPL-2.0-only
"""What tools/fleet has to do, step by step."""
import filecmp
import json
import os
import subprocess
import sys
import time

import captures
import environment
import hosts
import this_tree

FIXTURES = os.path.join(this_tree.ROOT, "fixtures", "captures")
SHELL, SMALL = "6.18-shell", "6.12-two-nodes"
PORT = 8799
# Forks and faults of SHELL, as `cowscope script --count` has them.
FORKS, FAULTS = 6, 642


class Test:
    def __init__(self, fleet, cowscope, venv, scratch):
        self.fleet, self.cowscope, self.scratch = fleet, cowscope, scratch
        self.venv = ["--venv", venv] if venv else []
        self.python = os.path.join(environment.directory(venv), "bin", "python")
        self.count = 0

    # — what steps are made of

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def words(self, verb, *words):
        """Of a command, in the environment's own Python where there is one already."""
        python = self.python if os.path.exists(self.python) else sys.executable
        return [python, self.fleet, verb, *self.venv, *words]

    def ran(self, verb, *words, status=(0,), seconds=120):
        done = subprocess.run(self.words(verb, *words), capture_output=True, text=True, timeout=seconds)
        self.hold(done.returncode in status, "%s ended with %d: %s" % (verb, done.returncode, done.stderr[-2000:]))
        return done.stdout

    def run(self, places, out, *words, **options):
        return self.ran("run", "-q", "--cowscope", self.cowscope, "-o", self.path(out), *words, *places, **options)

    def hold(self, is_so, what):
        self.count += 1
        if not is_so:
            sys.exit("fleet-test: %s\n%s" % (what, self.logged()))

    def logged(self):
        """What the hosts said last."""
        if not os.path.exists(self.path("log")):
            return ""
        with open(self.path("log")) as file:
            return file.read()[-4000:]

    def captures(self, directory, count, fixture=SHELL):
        """As many captures, each of a host of its own."""
        for number in range(count):
            place = self.path(directory, "host=%s%02d" % (directory, number))
            os.makedirs(place)
            os.symlink(os.path.join(FIXTURES, fixture), os.path.join(place, "x.cow"))
        return self.path(directory)

    def same(self, a, b, what):
        compared = tree(self.path(a)), tree(self.path(b))
        self.hold(compared[0] == compared[1], "%s: other files: %s" % (what, sorted(compared[0] ^ compared[1])))
        unequal = [name for name in compared[0] if not filecmp.cmp(self.path(a, name), self.path(b, name), shallow=False)]
        self.hold(not unequal, "%s: other bytes: %s" % (what, unequal))

    def failed(self, out):
        with open(self.path(out, "failures.ndjson")) as file:
            return [json.loads(line) for line in file]

    # — steps

    def alone(self):
        """Without Dask: a result of each capture, a name for each failure, and nothing replayed twice."""
        self.captures("many", 6)
        self.captures("few", 2, SMALL)
        for name, content in (("bad.cow/trace.dat", b"junk\0"), ("empty.cow/trace.dat", b"")):
            os.makedirs(os.path.dirname(self.path("many", "host=many00", name)))
            with open(self.path("many", "host=many00", name), "wb") as file:
                file.write(content)
        places = [self.path("many"), self.path("few")]
        self.run(places, "alone", "--alone", status=(2,))
        self.hold(len(tree(self.path("alone"))) == 9, "6 and 2 results and the failures: %s" % tree(self.path("alone")))
        rows = self.failed("alone")
        self.hold([(row["path"][-9:], row["reason"]) for row in rows] == [("0/bad.cow", "refused"), ("empty.cow", "refused")],
                  "failures: %s" % rows)
        known = captures.content_hash(os.path.join(FIXTURES, SHELL))
        self.hold(sum(known in name for name in tree(self.path("alone"))) == 6, "the hash is that of cowscope")
        before = times(self.path("alone"))
        self.run(places, "alone", "--alone", status=(2,))
        changed = {name for name, at in times(self.path("alone")).items() if before.get(name) != at}
        self.hold(changed == {"failures.ndjson"}, "what was there was written again: %s" % changed)

    def killed(self):
        """Two workers of which one is killed: the same bytes."""
        words = ["--workers", "2", "--kill-one-worker"]
        self.run([self.path("many"), self.path("few")], "killed", *words, status=(2,))
        self.same("alone", "killed", "with a worker that died")

    def report(self):
        """Figures that are known, of 6 captures of one fixture."""
        query = "SELECT forks, faults, count(*) AS n FROM captures WHERE kernel LIKE '6.18%' GROUP BY ALL"
        rows = self.ran("query", self.path("alone"), query).split("\n")
        self.hold(rows[1].split() == [str(FORKS), str(FAULTS), "6"], "forks and faults: %s" % rows)
        text = self.ran("report", self.path("alone"), "--parquet", self.path("tables"))
        self.hold("8 of 8 captures trusted" in text and "refused" in text, text)
        self.hold(self.ran("report", self.path("tables")) == text, "Parquet says something else")
        self.ran("report", self.path("alone"), "--html", self.path("page.html"))
        with open(self.path("page.html")) as file:
            self.hold("<td class=t>C-strict" in file.read(), "the page has no encodings")
        self.regression()

    def regression(self):
        """One capture in which C-strict came to hold 3 entries UNSAFE: 3 of as many as it judged."""
        subprocess.run(["cp", "-r", self.path("alone"), self.path("worse")], check=True)
        name = sorted(name for name in tree(self.path("worse")) if "6.18" in name)[0]
        found = {"type": "divergence", "encoding": "C-strict", "verdict": "UNSAFE", "certainty": "definite", "rule": "C1",
                 "transition": "fork", "order": 0, "count": 3, "first_seq": 41, "first_time_ns": 5, "mm": 1,
                 "addr": "0x7f0000001000", "pfn": 77, "history": []}
        with open(self.path("worse", name)) as file:
            lines = file.readlines()
        with open(self.path("worse", name), "w") as file:
            file.writelines(lines[:1] + [json.dumps(found) + "\n"] + lines[1:])
        text = self.ran("report", "--fail-on-worse", self.path("alone"), self.path("worse"), status=(2,))
        self.hold("1 rows became worse" in text and "worse   C-strict  UNSAFE" in text.replace("    ", "   "), text)
        self.ran("report", "--fail-on-worse", self.path("alone"), self.path("alone"))
        exemplars = self.ran("report", self.path("worse"))
        self.hold("host=many00/x.cow --until 41 --pfn 77" in exemplars, "no command reproduces it: " + exemplars)

    def cut_off(self, network):
        """One of two hosts is cut off in the middle. What both have is done by the other; what it alone has fails by
        name, and is done when it is back: then everything is as one process has it."""
        both, alone = self.captures("both", 10), self.captures("mine", 5)
        self.run(["w:" + both, "b:" + alone], "wanted", "--alone")
        with open(self.path("log"), "w") as log:
            address = "tcp://%s:%d" % (network.address(hosts.MIDDLE), PORT)
            scheduler = self.words("scheduler", "--port", str(PORT), "--lost-after", "4")
            network.start(hosts.MIDDLE, scheduler, log)
            self.worker(network, hosts.LEFT, address, ["w"], log)
            right = self.worker(network, hosts.RIGHT, address, ["w", "b"], log)
            words = self.words("run", "-q", "--cowscope", self.cowscope, "-o", self.path("out"), "--scheduler", address,
                               "--patience", "6", "w:" + both, "b:" + alone)
            run = network.start(hosts.MIDDLE, words, log)
            self.wait(lambda: len(tree(self.path("out"))) >= 3 or run.poll() is not None, "no result")
            network.link(hosts.RIGHT, "down")
            self.wait(lambda: run.poll() is not None, "the run does not end")
            done = tree(self.path("out")) - {"failures.ndjson"}
            self.hold(run.returncode == 2, "it ended with %s and %d results" % (run.returncode, len(done)))
            lost = self.failed("out")
            self.hold({row["reason"] for row in lost} == {"no-worker"} and {row["at"] for row in lost} == {"b"}, str(lost))
            self.hold(len(done) + len(lost) == 15, "%d results and %d failures of 15" % (len(done), len(lost)))
            network.stop(right)
            network.link(hosts.RIGHT, "up")
            self.worker(network, hosts.RIGHT, address, ["w", "b"], log)
            run = network.start(hosts.MIDDLE, words, log)
            self.wait(lambda: run.poll() is not None, "the second run does not end")
            self.hold(run.returncode == 0, "the second run ended with %s" % run.returncode)
        self.same("wanted", "out", "when the host is back")

    def worker(self, network, host, address, tags, log):
        words = [word for tag in tags for word in ("--at", tag)]
        return network.start(
            host, self.words("worker", address, "--workers", "1", "--once", "--host", network.address(host), *words), log)

    def wait(self, is_so, what, seconds=120):
        limit = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > limit:
                sys.exit("fleet-test: %s within %d s\n%s" % (what, seconds, self.logged()))
            time.sleep(0.05)
        self.count += 1


def tree(directory):
    """All files below it, by their names from there."""
    return {os.path.relpath(os.path.join(place, name), directory) for place, _, names in os.walk(directory) for name in names
            if not name.endswith(".new")}


def times(directory):
    return {name: os.stat(os.path.join(directory, name)).st_mtime_ns for name in tree(directory)}
