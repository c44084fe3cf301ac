#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""manual.py PROGRAM DIRECTORY: a manual page of section 1 for the program and each of its verbs, in mdoc(7).

What the pages say is what the program says of itself (--experimental-dump-help), so no verb and no option lacks one.
"""
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

REFERENCES = [("cowscope-glossary", 5), ("cowscope-json", 5), ("cowscope-verdicts", 5)]


def escaped(text):
    """Text that roff takes for text, a sentence or a row of a table at a time."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def paragraphs(text):
    """What is indented keeps its lines."""
    for number, block in enumerate((text or "").strip("\n").split("\n\n")):
        if number:
            yield ".Pp"
        if any(line.startswith("  ") for line in block.split("\n")):
            yield ".Bd -literal -offset indent\n" + escaped(block) + "\n.Ed"
        else:
            yield sentences(block)


def sentences(text):
    """Each on a line of its own, as mdoc wants them."""
    return escaped(re.sub(r"([a-z)`][.:]) (?=[A-Z`])", r"\1\n", text))


def flag(name):
    return ("Fl " if name["kind"] == "short" else "Fl \\-") + escaped(name["name"])


def spelled(argument):
    """As an item of a list: all names, and what follows them."""
    value = f"Ar {escaped(argument.get('valueName', 'value'))}"
    if argument["kind"] == "positional":
        return value
    names = " , ".join(flag(name) for name in argument["names"])
    return names if argument["kind"] == "flag" else f"{names} {value}"


def used(argument):
    """As part of the synopsis."""
    if argument["kind"] == "positional":
        text = f"Ar {escaped(argument['valueName'])}"
    else:
        text = flag(argument["preferredName"])
        if argument["kind"] == "option":
            text += f" Ar {escaped(argument['valueName'])}"
    if argument.get("isRepeating"):
        text += " ..."
    return f".Op {text}" if argument["isOptional"] else f".{text}"


def page(name, command, verbs, date):
    shown = [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]
    lines = [f".Dd {date}", f".Dt {name.upper()} 1", ".Os", ".Sh NAME", f".Nm {name}",
             f".Nd {escaped(command['abstract'].rstrip('.'))}", ".Sh SYNOPSIS", f".Nm {name.replace('-', ' ', 1)}"]
    lines += [used(argument) for argument in shown]
    if verbs:
        lines.append(".Ar verb ...")
    lines.append(".Sh DESCRIPTION")
    lines += paragraphs(command.get("discussion") or command["abstract"])
    if verbs:
        lines += [".Sh VERBS", ".Bl -tag -width Ds"]
        lines += [f".It Xr cowscope-{verb['commandName']} 1\n{escaped(verb['abstract'])}" for verb in verbs]
        lines.append(".El")
    if shown:
        lines += [".Sh OPTIONS", ".Bl -tag -width Ds"]
        for argument in shown:
            text = [argument.get("abstract"), argument.get("discussion")]
            if argument.get("defaultValue"):
                text.append(f"Default: {argument['defaultValue']}.")
            lines.append(f".It {spelled(argument)}\n" + sentences("\n".join(part for part in text if part)))
        lines.append(".El")
    others = sorted((f"cowscope-{verb['commandName']}", 1) for verb in verbs) or [("cowscope", 1)]
    lines.append(".Sh SEE ALSO")
    lines.append(" ,\n".join(f".Xr {other} {section}" for other, section in others + REFERENCES))
    return "\n".join(lines) + "\n"


def main():
    program, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    told = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
    root = json.loads(told)["command"]
    verbs = [verb for verb in root["subcommands"] if verb["shouldDisplay"] and verb["commandName"] != "help"]
    when = datetime.datetime.fromtimestamp(
        int(os.environ.get("SOURCE_DATE_EPOCH", datetime.datetime.now().timestamp())), datetime.timezone.utc)
    date = f"{when:%B} {when.day}, {when.year}"
    (directory / "cowscope.1").write_text(page("cowscope", root, verbs, date))
    for verb in verbs:
        name = f"cowscope-{verb['commandName']}"
        (directory / f"{name}.1").write_text(page(name, verb, [], date))


if __name__ == "__main__":
    main()
