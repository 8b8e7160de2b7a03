#!/usr/bin/env python3
"""Many short clean runs: how often does soak cry wolf?

    scripts/clean-runs.py [--runs 200] [--closed 2000] [SOAK OPTIONS...]

Every run must PASS, and OpenSSL's live blocks and bytes must be equal at every measured checkpoint, in
the server and in the client. Prints a line per run that didn't, the counts, and the 95 % upper bound
of the false-alarm rate that they prove (the exact binomial bound, 1 - 0.05^(1/n) for none in n).
Exit 1 when a run didn't pass or wasn't equal.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get("SOAK_BIN", os.path.join(ROOT, "build", "bin"))


def one_run(options, results):
    command = [os.path.join(BIN, "soak"), *options, "--quiet", "--results", results]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    folder = os.path.realpath(os.path.join(results, "last"))
    with open(os.path.join(folder, "samples.jsonl"), encoding="utf-8") as f:
        checkpoints = [s for s in map(json.loads, f) if s["kind"] == "checkpoint"]
    return process.returncode, process.stdout.strip(), checkpoints


def unequal(checkpoints):
    """The subjects whose ledger moved after the two epochs of warm-up."""
    moved = []
    for subject in ("server", "client"):
        ledgers = {(c[subject]["openssl"]["blocks"], c[subject]["openssl"]["bytes"])
                   for c in checkpoints[2:]}
        if len(ledgers) != 1:
            moved.append(f"{subject} {sorted(ledgers)}")
    return moved


def main():
    parser = argparse.ArgumentParser(description="how often a clean run isn't called PASS")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--closed", default="2000")
    options, passed_on = parser.parse_known_args()
    load = ["--conns", "30", "--churn", "max", "--closed", options.closed, *passed_on]
    verdicts, moved = {}, 0
    for i in range(options.runs):
        with tempfile.TemporaryDirectory(prefix="soak-clean-") as results:
            code, line, checkpoints = one_run([*load, "--seed", format(i + 1, "x")], results)
        different = unequal(checkpoints)
        verdicts[code] = verdicts.get(code, 0) + 1
        moved += bool(different)
        if code != 0 or different:
            print(f"seed {i + 1:x}: exit {code}: {line} {'; '.join(different)}", flush=True)
    passed = verdicts.get(0, 0)
    leaks = verdicts.get(1, 0)
    print(f"{passed} PASS, {leaks} LEAK, {options.runs - passed - leaks} other of {options.runs}; "
          f"ledger equal at every checkpoint in {options.runs - moved}")
    if leaks == 0:
        bound = 1 - 0.05 ** (1 / options.runs)
        print(f"false-alarm rate at most {100 * bound:.2f} % (95 % confidence)")
    sys.exit(0 if passed == options.runs and not moved else 1)


if __name__ == "__main__":
    main()
