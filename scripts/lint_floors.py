# SPDX-License-Identifier: Apache-2.0
"""Includes point only downwards: base <- options, page, control, measure <- tls, starttls, probe, stats
<- evidence, scenario, report, archive <- programs; inside stats: judge <- compare. Siblings don't include each other;
the rooms of src/soak only those named here. Prints each breach."""

import re
import sys

import lint_files

# What a folder may include besides itself. Programs that aren't listed may include every floor.
STATS = {"base", "stats"}
JUDGED = STATS | {"stats/judge", "stats/attribution"}
MAY_INCLUDE = {
    "src/common/base": set(),
    "src/common/options": {"base"},
    "src/common/tls": {"base", "options"},
    "src/common/starttls": {"base", "options"},
    "src/common/net": {"base", "tls"},
    "src/common/page": {"base"},
    "src/common/control": {"base"},
    "src/common/sandbox": {"base"},
    "src/common/channel": {"base", "net", "page", "tls"},
    "src/common/measure": {"base"},
    "src/common/libs": {"base"},
    "src/common/symbol": {"base"},
    "src/common/archive": {"base"},
    "src/common/probe": {"base", "page"},
    "src/common/profile": {"base", "options", "symbol"},
    "src/common/stats": {"base"},
    "src/common/stats/judge": STATS,
    "src/common/stats/attribution": STATS,
    "src/common/stats/compare": STATS | {"stats/judge"},
    "src/common/evidence": JUDGED | {"page", "measure"},
    "src/common/scenario": JUDGED | {"options", "starttls", "page"},
    "src/common/report": JUDGED | {"options", "symbol"},
    "src/common/report/html": JUDGED | {"options", "symbol", "profile", "report"},
    "src/preload": {"base", "page", "probe"},
    "server": {"base", "options", "tls", "starttls", "net", "page", "probe", "control", "sandbox"},
    "client": {"base", "options", "tls", "starttls", "net", "page", "probe", "control", "sandbox"},
    "footprint": {"base", "options", "tls"},
}
FLOORS = {path.removeprefix("src/common/") for path in MAY_INCLUDE if path.startswith("src/common/")}
# The rooms of the program and those that each may include, besides every floor and the top of src/soak.
ROOMS = {
    "library": set(),
    "subject": {"library"},
    "run": {"library", "subject"},
    "torture": {"run", "subject"},
    "compare": {"library"},
    "suite": set(),
    "history": set(),
    "selftest": set(),
    "rebuild": {"compare", "suite"},
    "shorten": {"rebuild"},
    "doctor": {"subject"},
    "agent": {"subject"},
}
MAY_INCLUDE.update({f"src/soak/{room}": FLOORS | below for room, below in ROOMS.items()})
PLACES = FLOORS | ROOMS.keys()
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
PURE = re.compile(r"src/common/(stats|starttls|evidence)/|client/pacer\.")
IMPURE = re.compile(r"#\s*include\s*[<\"](uv\.h|unistd\.h|fcntl\.h|sys/\w+\.h|base/clock\.h)")


def breaches(path):
    text = path.read_text(encoding="utf-8")
    home = str(path.parent)
    allowed = MAY_INCLUDE.get(home)
    for name in INCLUDE.findall(text):
        floor = name.rpartition("/")[0]
        if floor not in PLACES or home in (f"src/common/{floor}", f"src/soak/{floor}"):
            continue
        if allowed is not None and floor not in allowed:
            yield f"{path}: includes {name}, which isn't below it"
    if PURE.match(str(path)) and (match := IMPURE.search(text)):
        yield f"{path}: includes {match[1]}, but is to be pure: no I/O, no clock"


if __name__ == "__main__":
    sys.exit(lint_files.report(breaches))
