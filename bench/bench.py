#!/usr/bin/env python3
"""Speed, as ratios within one run: the floor (two SSL objects in memory, no sockets) and the harness
take turns, so that a slow minute of the machine hits both.

    bench/bench.py [--rounds 5] [--connections 4000]

Prints per case: floor CPU per connection / the harness's (server + client), probe on and off, the
ledger's cost, and the churn reached at `--churn max` against the floor on all processors.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.join(ROOT, "build", "bin")

CASES = [
    # name, floor arguments, soak options, target for floor/actual
    ("TLS 1.3 P-256", ("p256", "full"), (), 0.88),
    ("TLS 1.3 RSA-2048", ("rsa2048", "full"), ("--key", "rsa2048"), 0.90),
    ("TLS 1.3 P-256 resumption", ("p256", "resume"), ("--resume", "100%"), 0.80),
]
TARGET_MAX_CHURN = 0.75
TARGET_LEDGER = 1.03


def floor(connections, arguments, copies=1):
    """CPU per connection in microseconds (server, client); `copies` at the same time."""
    command = [os.path.join(BIN, "floor"), str(connections), *arguments]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(copies)]
    results = [json.loads(p.communicate()[0]) for p in running]
    return (statistics.mean(r["server_us"] for r in results),
            statistics.mean(r["client_us"] for r in results))


def harness(connections, options, results, probe):
    command = [os.path.join(BIN, "soak"), "--conns", "30", "--churn", "max", "--closed",
               str(connections), "--clean", "1", "--reset", "0", "--half-close", "0",
               "--mid-handshake", "0", "--quiet", "--results", results, *options]
    if not probe:
        command.append("--no-probe")
    subprocess.run(command, capture_output=True, check=False, timeout=1800)
    with open(os.path.join(results, "last", "result.json"), encoding="utf-8") as f:
        result = json.load(f)
    cost = {s["name"]: s["cost"]["cpu_us_per_conn"] for s in result["subjects"]}
    if result["run"]["errors"]["total"] or not cost["server"]:
        sys.exit(f"bench: the harness failed: {result.get('broken') or result['reasons']}")
    return cost["server"], cost["client"], result["run"]["rate_per_s"]


def median_of(rows, key):
    return statistics.median(key(r) for r in rows)


def measure(case, rounds, connections, results):
    _, floor_arguments, options, _ = case
    rows = []
    for _ in range(rounds):
        row = {"floor": floor(connections // 4, floor_arguments)}
        row["on"] = harness(connections, options, results, True)
        row["off"] = harness(connections, options, results, False)
        row["cores"] = floor(connections // 4, floor_arguments, os.cpu_count())
        rows.append(row)
    return rows


def report(case, rows):
    name, _, _, target = case
    both = {k: median_of(rows, lambda r, k=k: r[k][0] + r[k][1]) for k in ("floor", "on", "off")}
    share = median_of(rows, lambda r: sum(r["floor"]) / (r["on"][0] + r["on"][1]))
    share_off = median_of(rows, lambda r: sum(r["floor"]) / (r["off"][0] + r["off"][1]))
    ledger = median_of(rows, lambda r: (r["on"][0] + r["on"][1]) / (r["off"][0] + r["off"][1]))
    churn = median_of(rows, lambda r: r["on"][2] * sum(r["cores"]) / os.cpu_count() / 1e6)
    churn_off = median_of(rows, lambda r: r["off"][2] * sum(r["cores"]) / os.cpu_count() / 1e6)
    print(f"{name}")
    print(f"  floor            {1e6 / both['floor']:8.0f} handshakes per CPU-second, in memory")
    for key, text in (("floor", "floor"), ("on", "probe on"), ("off", "probe off")):
        server = median_of(rows, lambda r, k=key: r[k][0])
        client = median_of(rows, lambda r, k=key: r[k][1])
        print(f"  {text:16} {server:8.0f} us server + {client:.0f} us client per connection")
    print(f"  floor/actual     {share:8.2f} probe on, {share_off:.2f} off   (target {target})")
    print(f"  ledger           {ledger:8.3f} x CPU                   (target {TARGET_LEDGER})")
    print(f"  max churn        {churn:8.2f} of the floor on {os.cpu_count()} processors, "
          f"{churn_off:.2f} probe off   (target {TARGET_MAX_CHURN})")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description="soak's speed, as ratios within one run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=4000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-bench-") as results:
        for case in CASES:
            report(case, measure(case, options.rounds, options.connections, results))


if __name__ == "__main__":
    main()
