#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions per connection of server and client, counted by callgrind, against bench/instructions.json:
a gate of 1 % either way, because instructions repeat where times don't. See bench/README.md.

    bench/instructions.py [--bin FOLDER] [--write | --rounds N]

Exit 1 when a figure has moved, 77 (skipped) without valgrind or without figures for this machine,
compiler and OpenSSL; --write measures and keeps those.
"""

import argparse
import collections
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BASELINE = os.path.join(ROOT, "bench", "instructions.json")
LIMIT = 0.01
SKIPPED = 77
PATIENCE_S = 600
# Connections of two runs: their difference is free of start-up, and of the first connections, which
# fill caches that last.
FEW, MANY = 20, 120
CASES = {
    "TLS 1.3 full": [],
    "TLS 1.3 resumed": ["--resume", "100%"],
    "TLS 1.2 resumed": ["--resume", "100%", "--tls", "1.2"],
}
# Runs by the clock, so a slow machine calls it more often: left out, with all that it calls.
BY_CLOCK = {"server": ("on_publish", "on_tick"), "client": ("on_second", "pool_publish")}


def skip(why):
    print(f"instructions: skipped: {why}", file=sys.stderr)
    sys.exit(SKIPPED)


def callgrind(path, program, *arguments):
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={path}", program, *arguments]


def spent(path, left_out):
    """The instructions of a callgrind file but those of the functions left out. A function's name is
    written out once, beside a number that stands for it from there on; what a call took stands in the
    line below it."""
    names, inclusive, callee, total, below = {}, collections.Counter(), None, 0, False
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            if match := re.match(r"c?fn=\((\d+)\)(?: (.+))?", line):
                name = names.setdefault(match[1], match[2])
                callee = name if line.startswith("cfn=") else callee
            elif line.startswith("totals:"):
                total = int(line.split()[1])
            elif below:
                inclusive[callee] += int(line.split()[1])
            below = line.startswith("calls=")
    if not total:
        sys.exit(f"instructions: callgrind counted nothing in {path}")
    return total - sum(inclusive[name] for name in left_out)


def one_run(options, here, connections, case):
    """What server and client spend on so many connections, one after another."""
    paths = {name: os.path.join(here, name) for name in BY_CLOCK}
    server = subprocess.Popen(
        callgrind(paths["server"], os.path.join(options.bin, "soak-server"), "--listen", "127.0.0.1:0"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        listening = re.match(r"listening on (\S+)", server.stdout.readline())
        if not listening:
            sys.exit("instructions: the server doesn't start: " + server.communicate()[1][-2000:])
        client = subprocess.run(
            callgrind(paths["client"], os.path.join(options.bin, "soak-client"), "--connect", listening[1],
                      "--conns", "1", "--workers", "1", "--churn", "max", "--mix", "clean", "--closed",
                      str(connections), *case),
            capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    finally:
        server.terminate()
        server.communicate(timeout=PATIENCE_S)
    if client.returncode or not re.search(rf"^{connections} connections ", client.stdout, re.M):
        sys.exit(f"instructions: the client failed (exit {client.returncode}): {client.stdout}{client.stderr}")
    return {name: spent(path, BY_CLOCK[name]) for name, path in paths.items()}


def measure(options):
    figures = {}
    with tempfile.TemporaryDirectory(prefix="soak-bench-") as here:
        for title, case in CASES.items():
            few, many = (one_run(options, here, count, case) for count in (FEW, MANY))
            figures[title] = {side: round((many[side] - few[side]) / (MANY - FEW)) for side in few}
    return figures


def compiler_of(program):
    """Its name, version and optimization, from the debug information."""
    done = subprocess.run(["readelf", "--debug-dump=info", "--dwarf-depth=1", program], capture_output=True,
                          text=True, check=False)
    producer = re.search(r"DW_AT_producer.*?: (.*(?:GNU C|clang).*)", done.stdout)
    found = producer and re.search(r"(GNU C\d*|clang version) ([\d.]+)", producer[1])
    if not found:
        return "unknown compiler"
    name = "clang" if found[1].startswith("clang") else "gcc"
    level = re.search(r" (-O\w+)", producer[1])
    return " ".join([name, found[2], *([level[1]] if level else [])])


def combination(options):
    """What the figures depend on. valgrind shows programs no more of a processor than AVX2."""
    program = os.path.join(options.bin, "soak-server")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        avx2 = " avx2 " in f.read()
    return {"machine": platform.machine() + (" avx2" if avx2 else ""),
            "compiler": compiler_of(program),
            "openssl": re.search(r"OpenSSL (\S+)", done.stdout)[1]}


def describe(key):
    return f"{key['machine']}, {key['compiler']}, OpenSSL {key['openssl']}"


def read_baselines():
    with open(BASELINE, encoding="utf-8") as f:
        return json.load(f)


def write_baseline(key, figures):
    kept = [b for b in read_baselines() if {name: b[name] for name in key} != key] + [{**key, "figures": figures}]
    with open(BASELINE, "w", encoding="utf-8") as f:
        json.dump(sorted(kept, key=lambda b: [b[name] for name in key]), f, indent=2)
        f.write("\n")
    print(f"{os.path.relpath(BASELINE)}: {describe(key)}")


def compare(figures, expected):
    """Prints both; returns whether all lie within the limit."""
    ok = True
    for title, sides in figures.items():
        for side, now in sides.items():
            kept = expected[title][side]
            within = abs(now - kept) <= LIMIT * kept
            ok = ok and within
            print(f"{title:16} {side}  {now:9,} instructions per connection, {now / kept:.4f} of the baseline: "
                  f"{'ok' if within else 'moved'}")
    if not ok:
        print(f"A figure has moved by more than {LIMIT:.0%}. Where that is meant, keep the new ones: "
              "bench/instructions.py --write")
    return ok


def report_scatter(rounds):
    """How far the same figure lies from its mean in several rounds."""
    for title, sides in rounds[0].items():
        for side in sides:
            values = [figures[title][side] for figures in rounds]
            mean = sum(values) / len(values)
            print(f"{title:16} {side}  {mean:11,.0f} instructions per connection, {min(values) / mean - 1:+.4%} to "
                  f"{max(values) / mean - 1:+.4%} in {len(values)} rounds")


def main():
    parser = argparse.ArgumentParser(description="instructions per connection, against a baseline")
    parser.add_argument("--bin", metavar="FOLDER", default=os.path.join(ROOT, "build", "bin"))
    parser.add_argument("--write", action="store_true", help="keep the figures as the new baseline")
    parser.add_argument("--rounds", type=int, metavar="N", help="measure so often and print the scatter")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        skip("valgrind isn't installed (package valgrind)")
    if options.rounds:
        report_scatter([measure(options) for _ in range(options.rounds)])
        return 0
    key = combination(options)
    found = [b for b in read_baselines() if {name: b[name] for name in key} == key]
    if not found and not options.write:
        skip(f"no figures for {describe(key)}: bench/instructions.py --write makes them")
    figures = measure(options)
    if options.write:
        write_baseline(key, figures)
        return 0
    return 0 if compare(figures, found[0]["figures"]) else 1


if __name__ == "__main__":
    sys.exit(main())
