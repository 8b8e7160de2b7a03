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

| fault | of whom, and when | by |
|---|---|---|
| KILL, SEGV, ABRT, STOP for good, STOP 1 s | server, client, program, agent, an agent's client: each phase | matrix.py |
| STOP 30 s, an agent that stays stopped, a link that falls silent | the same | matrix.py --long |
| a program that can't be executed, ends at once, says nothing or nonsense | server, client, program; an agent's client | matrix.py |
| port taken, port late; an agent late or never | from the start | matrix.py |
| refuses, accepts and is silent, garbage, closes at once | program: warm-up, measuring, drain; agents by their link | matrix.py |
| fills its log's disk | program, from the start | matrix.py |
| leaks to RLIMIT_AS, to its cgroup's limit; no more memory | server, program; client, an agent's client | matrix.py |
| one of its processes dies, a reload | nginx: warm-up, measuring, drain | matrix.py |
| KILL | soak: run, suite, compare, selftest, report, at random moments | killed.py |
| ENOMEM | soak, server, client: of a start's allocations (--start), of a run's (--each); 0: all of them | resources.py |
| EMFILE; EAGAIN of fork | soak, server, client; soak | resources.py |
| ENOSPC, EROFS, EDQUOT, once or from then on; a tmpfs that is full or read-only | the writes of soak (--each) | resources.py |
| no /dev/shm, smaps, smaps_rollup, /proc/stat, /sys/fs/cgroup; hidepid | the machine | resources.py |
| ports exhausted, clock an hour off, suspended, one core, load 20 | the machine | resources.py |

Not in it: a program that refuses, is silent or closes during the hold, in which nobody connects; a leak of soak's own
client, of which none can be ordered.
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
