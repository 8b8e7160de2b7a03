#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills soak itself at random moments of its commands: afterwards nothing of it runs, nothing temporary
lies about, and what had been measured opens with `soak report`.

    python3 tests/faults/killed.py [--runs N] [--seed S] [--only COMMAND]... [--jobs N] [--write]

The same seed chooses the same commands and moments. Exit 1 when one left something."""

import argparse
import collections
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import book
from matrix import peer
from observed import BIN, ROOT, Observed, PATIENCE_S

QUICK = ("--conns", 20, "--churn", "max", "--closed", 3000, "--seed", "7f3a")
SMOKE = str(ROOT / "scenarios/smoke.soak")
# Its words, whether it takes --results, and how many seconds it may have before the end comes.
COMMANDS = {
    "run": (("run", "default", *QUICK, "--keep-going", "--defect", "lost-state"), True, 8),
    "run --server": (("run", "default", *QUICK, "--server", peer("serves", "/nonexistent")), True, 8),
    "suite": (("suite", SMOKE, "--closed", 2000), True, 8),
    "compare": (("compare", SMOKE, "--malloc", "jemalloc,libc", "--repeat", 1, "--closed", 2000), True, 12),
    "selftest": (("selftest", "--quick"), False, 12),
    "report": (("report", "RUN", "--html=page.html", "--flame=stacks.svg", "--json=again.json"), False, 0.3),
}
# Before anything was measured there is nothing to open.
NOTHING = ("soak was ended before it had measured anything", "there is no result.json in it",
           "none of its runs was done")


def finished_run(folder):
    """A run to make reports of."""
    subprocess.run([str(BIN / "soak"), "run", "default", *map(str, QUICK), "--defect", "lost-state", "--results", folder],
                   capture_output=True, check=False, timeout=PATIENCE_S, cwd=ROOT,
                   env=dict(os.environ, SOAK_HISTORY="", SOAK_ROOT=str(ROOT)))
    return str(Path(folder) / "last")


def checkpoints(folder):
    """Of that run; every line but a torn last one must be whole."""
    path = folder / "samples.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    return sum(json.loads(line)["kind"] == "checkpoint" for line in lines[:-1])


def opens(folder):
    """What is wrong with the folder; None: it opens, or says that there is nothing yet. The result so far comes right
    after the first sample: the end may come between the two."""
    done = subprocess.run([str(BIN / "soak"), "report", str(folder)], capture_output=True, text=True, check=False,
                          timeout=PATIENCE_S)
    if done.returncode == 0:
        return None
    nothing = done.returncode == 2 and any(word in done.stderr for word in NOTHING)
    return None if nothing and checkpoints(folder) <= 1 else f"exit {done.returncode}: {done.stderr}"


def kill(command, after_s, finished):
    """(seconds until all was gone, what is wrong or None)"""
    words, results, _ = COMMANDS[command]
    words = [finished if word == "RUN" else word for word in words]
    with Observed(*words, results=results) as run:
        try:
            run.process.wait(after_s)
        except subprocess.TimeoutExpired:
            run.process.kill()
        run.wait()
        left = run.settle()
        if left is None:
            return 0, f"goes on running: {run.alive()}"
        if run.litter():
            return left, f"left: {run.litter()}"
        runs = {path.parent for path in run.results.glob("**/samples.jsonl") if "last" not in path.parts}
        for folder in runs | {p for p in run.results.glob("*") if p.is_dir() and not p.is_symlink()}:
            wrong = opens(folder)
            if wrong:
                return left, f"{folder}: {wrong}"
        return left, None


def attempt(number, command, after_s, finished):
    try:
        return number, command, after_s, *kill(command, after_s, finished)
    except (AssertionError, OSError, ValueError) as e:
        return number, command, after_s, 0, f"{type(e).__name__}: {e}"


def plan(runs, seed, only):
    chance = random.Random(seed)
    names = only or list(COMMANDS)
    return [(i, command, chance.uniform(0, COMMANDS[command][2]))
            for i, command in ((i, chance.choice(names)) for i in range(runs))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", action="append", choices=COMMANDS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    tally, longest, survived = collections.defaultdict(lambda: [0, 0, 0.0]), 0, 0
    with tempfile.TemporaryDirectory(prefix="soak-killed-") as folder, \
            concurrent.futures.ProcessPoolExecutor(asked.jobs) as pool:
        finished = finished_run(folder)
        jobs = [pool.submit(attempt, *one, finished) for one in plan(asked.runs, seed, asked.only)]
        for job in concurrent.futures.as_completed(jobs):
            number, command, after_s, left, wrong = job.result()
            row = tally[command]
            row[0], row[1], row[2] = row[0] + 1, row[1] + (wrong is None), max(row[2], left)
            survived, longest = survived + (wrong is None), max(longest, left)
            print(f"{'ok   ' if wrong is None else 'WRONG'} {number} {command} after {after_s:.2f} s: "
                  f"{wrong or f'gone within {left:.2f} s'}", flush=True)
    summary = f"seed {seed}, {asked.runs} kills, {survived} left nothing; all gone within {longest:.2f} s"
    print(summary)
    if asked.write:
        rows = [f"| `soak {name}` | {n} | {good} | {left:.2f} s |" for name, (n, good, left) in sorted(tally.items())]
        book.put("killed", ["| command | killed | left nothing | the longest until all was gone |", "|---|---|---|---|",
                            *rows], summary)
    return survived != asked.runs


if __name__ == "__main__":
    sys.exit(main())
