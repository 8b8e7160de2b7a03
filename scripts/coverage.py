#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads what gcovr counted, and says what of it is covered: lines of src/, server/ and client/ per room,
branches of src/common/stats; CHECKs don't count as branches, since one that fails is a bug.

    python3 scripts/coverage.py COVERAGE.json [--short] [--write]

Each function that no test enters stands in tests/coverage-left.txt with its reason. Exit 1 under a target, for
such a function that isn't listed, and for one that is listed and no longer there. --short: the unit tests
alone, which are held to the judge's branches and nothing else. --write puts it all into results/coverage.md."""

import argparse
import collections
import json
import platform
import re
import sys
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT = ROOT / "tests/coverage-left.txt"
TABLE = ROOT / "results/coverage.md"
LINES_TARGET, BRANCHES_TARGET = 90, 95
JUDGE = "src/common/stats"
# The functions that base/names.h makes have no branch but their CHECK.
CHECK = re.compile(r"\b(CHECK|ENUM_(NAMES|TEXTS|SPELLINGS|COLUMN))\(")
# What a line is that no test runs, in a function that tests enter: the first that its text shows.
KINDS = {
    "bug": r"\bCHECK\(false|\bcheck_fail\(",
    "memory": r"(?i)out of memory|no memory|ENOMEM",
    "refusal": r"\b(err_set|err_prefix|context_fail|\w*refuse\w*|(uv_)?strerror|errno)\b",
    "way out": r"^(return( -1| NULL| false| rc| code| error)?;|goto \w+;|\w+:$|break;|continue;|close\(|free\(|"
               r"\w+_(free|close|fini)\(|rc = -1;)",
}
WHY = {
    "bug": "only a bug gets there, and a process that aborts writes no counts",
    "memory": "malloc() fails, or a library's; `tests/faults/resources.py` fails each in turn, a few of them here",
    "refusal": "the sentence of a call that the system, a library or a file's content refuses",
    "way out": "passes such a refusal on, or gives back what was had",
    "never entered": "in functions that no test enters; their reasons are below",
    "other": "listed below",
}
ROOM = re.compile(r"(server|client|src/preload|src/(?:common|soak)/[^/]+(?=/)|src/soak)/")


class Share:
    """So many of so many."""

    def __init__(self):
        self.covered = self.all = 0

    def add(self, covered):
        self.all += 1
        self.covered += bool(covered)

    @property
    def percent(self):
        return 100 * self.covered / self.all if self.all else 100.0

    def __str__(self):
        return f"{self.percent:.1f} % ({self.covered} of {self.all})"


class Figures:
    """Of a document of gcovr's."""

    def __init__(self, files, root):
        self.rooms = collections.defaultdict(Share)
        self.lines, self.branches = Share(), Share()
        self.functions = {}  # {(file, function): whether it was entered}
        self.kinds = collections.Counter()  # {kind: lines that aren't run}
        self.other = collections.defaultdict(list)  # {(file, function): the rest of them}
        for file in files:
            self.read(file, (root / file["file"]).read_text(encoding="utf-8").splitlines())

    def read(self, file, source):
        path = file["file"]
        room = self.rooms[ROOM.match(path)[1]]
        for line in file["lines"]:
            if line["gcovr/noncode"] or line["gcovr/excluded"]:
                continue
            room.add(line["count"])
            self.lines.add(line["count"])
            if path.startswith(JUDGE + "/") and not CHECK.search(source[line["line_number"] - 1]):
                for branch in line["branches"]:
                    self.branches.add(branch["count"])
        for function in file["functions"]:
            self.functions[path, function["name"]] = function["execution_count"] > 0
        self.sort(file, source)

    def sort(self, file, source):
        """Each line that isn't run is of a kind, of a function that isn't entered, or is listed."""
        starts = sorted((f["lineno"], f["name"], f["execution_count"]) for f in file["functions"])
        for line in file["lines"]:
            if line["count"] or line["gcovr/noncode"] or line["gcovr/excluded"]:
                continue
            number = line["line_number"]
            _, name, entered = max((s for s in starts if s[0] <= number), default=(0, "", 1))
            text = source[number - 1].strip()
            kind = next((k for k, pattern in KINDS.items() if re.search(pattern, text)), "other")
            self.kinds[kind if entered else "never entered"] += 1
            if entered and kind == "other":
                self.other[file["file"], name].append(number)

    def table(self):
        rows = [(room, share) for room, share in sorted(self.rooms.items())] + [("all", self.lines)]
        return ["| room | lines | covered | % |", "|---|---|---|---|",
                *(f"| {room} | {s.all} | {s.covered} | {s.percent:.1f} |" for room, s in rows)]


def read_left(text):
    """{(file, function): reason}; a line is `FILE FUNCTION: REASON`."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    parts = [line.split(": ", 1) for line in lines]
    return {tuple(what.split(" ", 1)): reason for what, reason in parts}


def complaints(figures, left, short):
    said = []
    if figures.branches.percent < BRANCHES_TARGET:
        said.append(f"branches of {JUDGE}: {figures.branches}, at least {BRANCHES_TARGET} % are wanted")
    if short:
        return said
    if figures.lines.percent < LINES_TARGET:
        said.append(f"lines: {figures.lines}, at least {LINES_TARGET} % are wanted")
    said += [f"{path}: no test enters {name}(): delete it, test it, or say in {LEFT.name} why not"
             for (path, name), entered in sorted(figures.functions.items()) if not entered and (path, name) not in left]
    said += [f"{path}: {LEFT.name} names {name}(), which isn't there"
             for path, name in sorted(left) if (path, name) not in figures.functions]
    return said


HEAD = """# What the tests cover

The command writes this page. Lines are those of gcc's counters; a test that runs a line needn't hold it to anything:
how well the judge's rules are held is what mutation testing says ([decision.md](../docs/decision.md)).
"""


def kinds(figures):
    return ["| kind | lines | why |", "|---|---|---|",
            *(f"| {kind} | {figures.kinds[kind]} | {why} |" for kind, why in WHY.items())]


def wrapped(lines):
    return ["\n".join(textwrap.wrap(line, 116, subsequent_indent="  ", break_on_hyphens=False)) for line in lines]


def others(figures):
    by_file = collections.defaultdict(list)
    for (path, name), numbers in sorted(figures.other.items()):
        by_file[path].append(f"`{name}` {len(numbers)}")
    return [f"- {path}: {', '.join(names)}" for path, names in by_file.items()]


def page(figures, left, command):
    date = time.strftime("%Y-%m-%d", time.gmtime())
    entered = [key for key, was in figures.functions.items() if was]
    reasons = collections.defaultdict(list)
    for (path, name), was in sorted(figures.functions.items()):
        if not was:
            reasons[left.get((path, name), "no reason yet")].append(f"`{name}` ({path})")
    return "\n".join([
        HEAD, *wrapped([f"{date}, Linux {platform.release()}: lines {figures.lines}; functions entered {len(entered)} "
                        f"of {len(figures.functions)}; branches of {JUDGE} {figures.branches}."]), "",
        "```sh", command, "```", "",
        *figures.table(), "", "## Lines that aren't run", "", "By what stands in the line:", "", *kinds(figures), "",
        "## Functions that no test enters", "",
        *wrapped(f"- {reason}: {', '.join(names)}." for reason, names in sorted(reasons.items())), "",
        "## Other lines, by function", "", "Not tested, for no better reason than that nobody has.", "",
        *wrapped(others(figures)), ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("counted", type=Path)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    left = read_left(LEFT.read_text(encoding="utf-8"))
    figures = Figures(json.loads(options.counted.read_text(encoding="utf-8"))["files"], ROOT)
    for room, share in sorted(figures.rooms.items()):
        print(f"{room:<24} {share}")
    print(f"{'lines in all':<24} {figures.lines}")
    print(f"branches of {JUDGE}: {figures.branches}")
    if options.write and not options.short:
        TABLE.write_text(page(figures, left, "bash scripts/coverage.sh --write"), encoding="utf-8")
    said = complaints(figures, left, options.short)
    print(*said, sep="\n", end="\n" if said else "")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
