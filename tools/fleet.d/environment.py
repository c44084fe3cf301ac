# SPDX-License-Identifier: GPL-2.0-only
"""The virtual environment that the cluster and the questions need, made once."""
import fcntl
import hashlib
import os
import subprocess
import sys

REQUIREMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "requirements.txt")


def directory(given=None):
    """Where it is: of one set of packages and one Python, so that another is another."""
    if given:
        return os.path.abspath(given)
    with open(REQUIREMENTS, "rb") as file:
        key = hashlib.sha256(file.read() + sys.version.encode()).hexdigest()[:12]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(cache, "cowscope", "fleet-" + key)


def entered(script, arguments, given=None):
    """Goes on as the same command inside the environment; comes back when it is there already."""
    place = directory(given)
    if os.path.realpath(sys.prefix) != os.path.realpath(place):
        python = made(place)
        os.execv(python, [python, script, *arguments])


def is_there(given=None):
    return os.path.exists(os.path.join(directory(given), "complete"))


def made(place):
    """Its Python."""
    python = os.path.join(place, "bin", "python")
    os.makedirs(place, exist_ok=True)
    with open(place + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = os.path.join(place, "complete")
        if not os.path.exists(stamp):
            with open(REQUIREMENTS) as file:
                wanted = [line.strip() for line in file if line.strip() and not line.startswith("#")]
            sys.stderr.write("fleet: installing into %s: %s\n" % (place, " ".join(wanted)))
            subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
            subprocess.run(
                [python, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check", "-r", REQUIREMENTS],
                check=True, stdout=sys.stderr)
            open(stamp, "w").close()
    return python
