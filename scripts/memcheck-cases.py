#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What valgrind's memcheck says of the programs of scenarios/cases, under the same load.

    scripts/memcheck-cases.py [--closed 200] [--soak build/bin/soak] [SCENARIO...]

Each scenario (cases/perl-key-usage-bad; all that name a program without any) is run once with its program under
valgrind, one connection at a time. Prints a row of a Markdown table for each: the blocks that nothing points to when
the program ends, per connection that was closed, and in all. LeakSanitizer looks for the same blocks. soak makes the
load and leaves its probe out. A program that valgrind can't run has its reason in the row.
"""

import argparse
import glob
import json
import os
import re
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = "| scenario | bytes per connection | blocks | lost in all |\n|---|---:|---:|---:|"
LOST = re.compile(r"(definitely|indirectly) lost: ([\d,]+) bytes in ([\d,]+) blocks")


def command_of(scenario):
    """Which option has the program's command, and the command; None where soak's own server is tested."""
    with open(os.path.join(ROOT, "scenarios", scenario + ".soak"), encoding="utf-8") as file:
        match = re.search(r"^(server|client)\s*= (.*)$", file.read(), re.M)
    return match and match.groups()


def number(text):
    return int(text.replace(",", ""))


def read_log(path):
    """Bytes and blocks that nothing points to, or what valgrind said instead."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    found = {kind: (number(size), number(blocks)) for kind, size, blocks in LOST.findall(text)}
    if found:
        return tuple(map(sum, zip(*found.values()))), None
    if "All heap blocks were freed" in text:
        return (0, 0), None
    if "Fatal error at startup" in text:
        return None, "valgrind knows nothing of its libc"
    return None, "it left no account of its heap"


def run(soak, scenario, closed, work):
    option, command = command_of(scenario)
    valgrind = f"valgrind --leak-check=full --trace-children=yes --log-file={work}/%p.log"
    words = [soak, "run", scenario, f"--{option}", f"{valgrind} {command}", "--conns", "1", "--closed", str(closed),
             "--malloc", "libc", "--no-probe", "--results", work, "--quiet", f"--json={work}/result.json"]
    if option == "server":
        words += ["--mix", "clean", "--ready-timeout", "3m"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        with open(work + "/result.json", encoding="utf-8") as file:
            document = json.load(file)
    except OSError:
        return None, (said.stderr.strip().splitlines() or ["no result"])[-1]
    return document, document["headline"]


def row(soak, scenario, closed):
    with tempfile.TemporaryDirectory(prefix="soak-memcheck-") as work:
        document, said = run(soak, scenario, closed, work)
        logs = [read_log(path) for path in glob.glob(work + "/*.log")]
    figures = max((figures for figures, _ in logs if figures), default=None)
    if not document or not document["run"]["closed"] or not figures:
        why = next((why for _, why in logs if why), said)
        return f"| `{scenario}` | doesn't run: {why} | - | - |"
    size, blocks = figures
    done = document["run"]["closed"]
    return f"| `{scenario}` | {size / done:,.1f} | {blocks / done:.2f} | {size:,} B in {blocks:,} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--closed", type=int, default=200)
    parser.add_argument("--soak", default=os.path.join(ROOT, "build/bin/soak"))
    parser.add_argument("scenario", nargs="*")
    asked = parser.parse_args()
    names = asked.scenario or sorted("cases/" + os.path.basename(path)[:-len(".soak")]
                                     for path in glob.glob(ROOT + "/scenarios/cases/*.soak"))
    print(HEAD)
    for name in names:
        if command_of(name):
            print(row(asked.soak, name, asked.closed), flush=True)


if __name__ == "__main__":
    main()
