#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clean short runs in numbers: what a false doubt looks like happens once in a hundred of them.

    scripts/short-runs.py [--runs 500] [--first 0] [--seed 1] [--soak build/bin/soak]
                          [--scenario servers/nginx [-- --closed 8000]]

Run i has 5, 10 or 30 open connections, 559 to 2,000 in all, and peers that are alike or mixed: the
same for the same seed. With --scenario all are runs of it, with the options that follow, and only their
seeds differ. Each must PASS and note nothing of libuv. Prints a line for each run that
doesn't, with the command that repeats it, and the sums; exit 1 if there is any.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

MIXES = ("clean=1", "clean=4,reset=1,half-close=1,mid-handshake=1", "clean=2,reset=1")
CONNS = (5, 10, 30)
CLOSED = (559, 2000)


def options(asked, i):
    """The options of run i."""
    chance = random.Random(f"{asked.seed}/{i}")
    if asked.scenario:
        return [asked.scenario, "--seed", f"{chance.getrandbits(31):x}", *asked.more]
    return ["--conns", str(CONNS[i % len(CONNS)]), "--closed", str(chance.randint(*CLOSED)),
            "--mix", MIXES[i // len(CONNS) % len(MIXES)], "--seed", f"{chance.getrandbits(31):x}"]


def run(soak, chosen, results):
    """Returns the document of one run, or the sentence that took its place."""
    path = os.path.join(results, "result.json")
    process = subprocess.run([soak, "run", *chosen, "--quiet", f"--json={path}",
                              f"--results={results}"], capture_output=True, text=True, check=False)
    try:
        with open(path, encoding="utf-8") as f:
            document = json.load(f)
        os.remove(path)
        return document, ""
    except (OSError, ValueError):
        return None, process.stderr.strip()


def complaints(document):
    """What is wrong with a clean run's document: sentences."""
    said = []
    if document["verdict"] != "PASS":
        said.append(f"{document['verdict']}: " + "; ".join(
            f"{s['name']}: {', '.join(s['reasons'])}" for s in document["subjects"]
            if s["verdict"] != "PASS"))
    for subject in document["subjects"]:
        said += [f"noted {site['kind']} of libuv in the {subject['name']}"
                 for site in subject["sites"] if site["file"] == "libuv"]
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--scenario")
    parser.add_argument("more", nargs="*", help="options of the runs of a scenario")
    parser.add_argument("--soak", default="build/bin/soak")
    asked = parser.parse_args()
    verdicts, bad = collections.Counter(), 0
    for i in range(asked.first, asked.first + asked.runs):
        chosen = options(asked, i)
        with tempfile.TemporaryDirectory(prefix="soak-short-") as results:
            document, sentence = run(asked.soak, chosen, results)
        said = complaints(document) if document else [sentence or "no result.json"]
        verdicts[document["verdict"] if document else "none"] += 1
        bad += bool(said)
        if said:
            print(f"run {i}: {' | '.join(said)}\n    {asked.soak} run {' '.join(chosen)}", flush=True)
    print(f"{asked.runs} runs: {', '.join(f'{n} {v}' for v, n in sorted(verdicts.items()))}; "
          f"{bad} with something to say")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
