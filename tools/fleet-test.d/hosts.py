# SPDX-License-Identifier: GPL-2.0-only
"""Three hosts: a scheduler in the middle, and two workers that reach each other through it."""
import os
import shutil
import signal
import subprocess

MIDDLE, LEFT, RIGHT = "s", "a", "b"
NETWORK = "10.213.%d.%d"


def obstacle():
    """Why there can be none."""
    if os.geteuid() != 0:
        return "not root"
    if not shutil.which("ip"):
        return "no iproute2"
    name = "cowscope-probe-%d" % os.getpid()
    if subprocess.run(["ip", "netns", "add", name], stderr=subprocess.DEVNULL).returncode:
        return "no network namespaces here"
    veth = subprocess.run(["ip", "-n", name, "link", "add", "x", "type", "veth", "peer", "name", "y"], stderr=subprocess.DEVNULL)
    subprocess.run(["ip", "netns", "del", name], check=True)
    return "no veth here" if veth.returncode else None


class Network:
    def __init__(self):
        self.names = {host: "cowscope-%d-%s" % (os.getpid(), host) for host in (MIDDLE, LEFT, RIGHT)}
        self.made, self.started = [], []

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make(self):
        for name in self.names.values():
            run("ip", "netns", "add", name)
            self.made.append(name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        middle = self.names[MIDDLE]
        for number, host in enumerate((LEFT, RIGHT), 1):
            there = self.names[host]
            run("ip", "-n", middle, "link", "add", "to-" + host, "type", "veth", "peer", "name", "eth0", "netns", there)
            for name, link, end in ((middle, "to-" + host, 1), (there, "eth0", 2)):
                run("ip", "-n", name, "address", "add", NETWORK % (number, end) + "/24", "dev", link)
                run("ip", "-n", name, "link", "set", link, "up")
            run("ip", "-n", there, "route", "add", "default", "via", NETWORK % (number, 1))
        # Of that namespace alone.
        run("ip", "netns", "exec", middle, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")

    def address(self, host):
        return NETWORK % {MIDDLE: (1, 1), LEFT: (1, 2), RIGHT: (2, 2)}[host]

    def link(self, host, state):
        run("ip", "-n", self.names[MIDDLE], "link", "set", "to-" + host, state)

    def start(self, host, words, log):
        """A process on that host, a group of its own."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.names[host], *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True)
        self.started.append(process)
        return process

    @staticmethod
    def stop(process):
        """The group that `start` made, and nothing else."""
        if process.poll() is None or group_is_there(process.pid):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()

    def __exit__(self, *_):
        for process in self.started:
            self.stop(process)
        for name in self.made:
            run("ip", "netns", "del", name)


def group_is_there(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def run(*words):
    subprocess.run(words, check=True)
