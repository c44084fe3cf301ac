# SPDX-License-Identifier: GPL-2.0-only
"""The cowscope of this tree, built when it is wanted."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def built(configuration="release"):
    """Path of the program."""
    command = ["swift", "build", "-c", configuration, "--product", "cowscope"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return os.path.join(ROOT, ".build", configuration, "cowscope")
