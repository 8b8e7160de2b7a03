# SPDX-License-Identifier: Apache-2.0
"""Includes point only downwards: base <- stats, tls, prelude, probe, control, measure <- scenario, report,
store <- programs. Siblings don't include each other; the rooms of src/soak only those named here. Prints
each breach."""

import re
import sys

import lint_files

# What a folder may include besides itself. Programs that aren't listed may include every floor.
MAY_INCLUDE = {
    "src/common/base": set(),
    "src/common/stats": {"base"},
    "src/common/tls": {"base"},
    "src/common/prelude": {"base"},
    "src/common/probe": {"base"},
    "src/common/control": {"base"},
    "src/common/measure": {"base"},
    "src/common/libs": {"base"},
    "src/common/symbol": {"base"},
    "src/common/scenario": {"base", "stats", "tls", "prelude", "probe", "measure"},
    "src/common/report": {"base", "stats", "tls", "probe", "measure", "symbol"},
    "src/common/store": {"base", "stats", "tls", "probe", "measure"},
    "src/common/profile": {"base", "symbol"},
    "server": {"base", "tls", "prelude", "probe", "control"},
    "client": {"base", "tls", "prelude", "probe", "control"},
    "footprint": {"base", "tls"},
}
FLOORS = {path.rsplit("/", 1)[1] for path in MAY_INCLUDE if path.startswith("src/common/")}
# The rooms of the program and those that each may include, besides every floor and the top of src/soak.
ROOMS = {
    "library": set(),
    "run": {"library"},
    "torture": {"run"},
    "compare": {"library"},
    "suite": set(),
    "selftest": set(),
}
MAY_INCLUDE.update({f"src/soak/{room}": FLOORS | below for room, below in ROOMS.items()})
PLACES = FLOORS | ROOMS.keys()
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
PURE = re.compile(r"src/common/(stats|prelude)/|client/pacer\.")
IMPURE = re.compile(r"#\s*include\s*[<\"](uv\.h|unistd\.h|fcntl\.h|sys/\w+\.h|base/clock\.h)")


def breaches(path):
    text = path.read_text(encoding="utf-8")
    home = str(path.parent)
    allowed = MAY_INCLUDE.get(home)
    for name in INCLUDE.findall(text):
        floor = name.split("/")[0]
        if floor not in PLACES or home in (f"src/common/{floor}", f"src/soak/{floor}"):
            continue
        if allowed is not None and floor not in allowed:
            yield f"{path}: includes {name}, which isn't below it"
    if PURE.match(str(path)) and (match := IMPURE.search(text)):
        yield f"{path}: includes {match[1]}, but is to be pure: no I/O, no clock"


sys.exit(lint_files.report(breaches))
