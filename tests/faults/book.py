# SPDX-License-Identifier: Apache-2.0
"""results/faults.md: a section for each command of this folder, which writes its own anew."""

import platform
import re
import sys
import time
from pathlib import Path

PATH = Path(__file__).parents[2] / "results/faults.md"
HEAD = """# Faults injected, and what became of the runs

Each section is written by the command that it names, with `--write`. `survived`: exactly one sentence of reason, the
right exit code, never PASS where none was due, no crash and no hang of soak's own, what was measured kept and
readable by `soak report`, and no process, temporary file, key or shared memory left.
"""
TITLES = {"matrix": "The server, the client, a program under test and agents, phase by phase",
          "killed": "soak itself, killed at random moments",
          "resources": "What the system refuses: memory, files, disk, time, processors",
          "week": "A week of samples"}


def read():
    """{title: text}"""
    parts = re.split(r"^## (.*)\n", PATH.read_text(encoding="utf-8"), flags=re.MULTILINE) if PATH.exists() else [""]
    return dict(zip(parts[1::2], parts[2::2]))


def put(name, lines, summary):
    sections = read()
    command = f"python3 tests/faults/{Path(sys.argv[0]).name} {' '.join(sys.argv[1:])}"
    date = time.strftime("%Y-%m-%d", time.gmtime())
    sections[TITLES[name]] = "\n".join(
        ["", f"{date}, Linux {platform.release()}, a machine shared with other work: {summary}.", "", "```sh", command,
         "```", "", *lines, ""])
    text = HEAD + "".join(f"\n## {title}\n{sections[title].rstrip()}\n" for title in TITLES.values()
                          if title in sections)
    PATH.write_text(text, encoding="utf-8")
