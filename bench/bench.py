#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed, as ratios within one run: the floor (two SSL objects in memory, no sockets) and the harness
take turns, so that a slow minute of the machine hits both. How to read it: bench/README.md.

    bench/bench.py [--case full|rsa|resume] [--rounds 5] [--connections 4000] [--calm SECONDS]
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORES = os.cpu_count()

CASES = {
    # name: title, floor arguments, soak options, target for floor/actual
    "full": ("TLS 1.3 P-256", ("p256", "full"), (), 0.88),
    "rsa": ("TLS 1.3 RSA-2048", ("rsa2048", "full"), ("--key", "rsa2048"), 0.90),
    "resume": ("TLS 1.3 P-256 resumption", ("p256", "resume"), ("--resume", "100%"), 0.80),
}
TARGET_MAX_CHURN = 0.75
TARGET_LEDGER = 1.03
CALM = 0.15  # share of the machine that others may use when a part begins
WORTH_A_WORD = 0.10


def build():
    """The programs as ./soak builds them, and the floor. What failed is said by set-up itself."""
    done = subprocess.run(["sh", os.path.join(ROOT, "scripts", "setup.sh"), "run"], check=False)
    if done.returncode:
        sys.exit(done.returncode)
    done = subprocess.run(["cmake", "--build", os.path.join(ROOT, "build"), "--target", "floor"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit("bench: the floor can't be built: " + (done.stdout.strip() or "cmake failed")
                 .splitlines()[-1])


def check_programs(folder):
    for name in ("floor", "soak", "soak-server", "soak-client"):
        if not os.access(os.path.join(folder, name), os.X_OK):
            sys.exit(f"bench: {folder} has no {name}; make it by: cmake --build FOLDER/.. --target {name}")


def machine_seconds():
    """Seconds so far of all processors: all, and busy ones."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(word) for word in f.readline().split()[1:9]]
    total, idle = sum(ticks), ticks[3] + ticks[4]
    return total / os.sysconf("SC_CLK_TCK"), (total - idle) / os.sysconf("SC_CLK_TCK")


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Machine:
    """How busy others are, before and while we measure."""

    def __init__(self, patience):
        self.patience = patience
        self.total = self.others = 0.0

    def wait_for_calm(self):
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            total, busy = machine_seconds()
            time.sleep(0.25)
            later_total, later_busy = machine_seconds()
            if later_busy - busy < CALM * (later_total - total):
                return

    def run(self, part, *arguments):
        self.wait_for_calm()
        (total, busy), ours = machine_seconds(), children_seconds()
        result = part(*arguments)
        later_total, later_busy = machine_seconds()
        self.total += later_total - total
        self.others += max(0.0, later_busy - busy - (children_seconds() - ours))
        return result

    def share_of_others(self):
        return self.others / self.total if self.total else 0.0


def floor(folder, connections, arguments, copies):
    """CPU per connection in microseconds (server, client); `copies` at the same time."""
    command = [os.path.join(folder, "floor"), str(connections), *arguments]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(copies)]
    results = [json.loads(p.communicate()[0]) for p in running]
    return (statistics.mean(r["server_us"] for r in results),
            statistics.mean(r["client_us"] for r in results))


def harness(folder, connections, options, results, probe):
    """CPU per connection over the measured epochs (server, client), and connections per second."""
    command = [os.path.join(folder, "soak"), "--conns", "30", "--churn", "max", "--closed",
               str(connections), "--clean", "1", "--reset", "0", "--half-close", "0",
               "--mid-handshake", "0", "--quiet", "--results", results, *options]
    if not probe:
        command.append("--no-probe")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        with open(os.path.join(results, "last", "result.json"), encoding="utf-8") as f:
            result = json.load(f)
    except FileNotFoundError:
        sys.exit(f"bench: soak left no result (exit {done.returncode}): {done.stderr.strip()}")
    cost = {s["name"]: s["cost"]["cpu_us_per_conn"] for s in result["subjects"]}
    if result["run"]["errors"]["total"] or not cost.get("server"):
        sys.exit(f"bench: the harness failed: {result.get('broken') or result['reasons']}")
    return cost["server"], cost["client"], result["run"]["rate_per_s"]


def median_of(rows, key):
    return statistics.median(key(r) for r in rows)


def cpu(part):
    return part[0] + part[1]


def measure(case, options, machine, results):
    _, floor_arguments, soak_options, _ = CASES[case]
    count, bin_ = options.connections, options.bin
    rows = []
    for _ in range(options.rounds):
        rows.append({
            "alone": machine.run(floor, bin_, count // 4, floor_arguments, 1),
            "tcp": machine.run(floor, bin_, count // 4, (*floor_arguments, "tcp"), CORES),
            "on": machine.run(harness, bin_, count, soak_options, results, True),
            "floor": machine.run(floor, bin_, count // 4, floor_arguments, CORES),
            "off": machine.run(harness, bin_, count, soak_options, results, False),
        })
    return rows


def report(case, rows):
    name, _, _, target = CASES[case]
    share = {k: median_of(rows, lambda r, k=k: cpu(r["floor"]) / cpu(r[k])) for k in ("on", "off")}
    churn = {k: median_of(rows, lambda r, k=k: r[k][2] * cpu(r["floor"]) / CORES / 1e6)
             for k in ("on", "off")}
    sockets = median_of(rows, lambda r: cpu(r["floor"]) / cpu(r["tcp"]))
    ledger = median_of(rows, lambda r: cpu(r["on"]) / cpu(r["off"]))
    print(name)
    print(f"  in memory        {1e6 / median_of(rows, lambda r: cpu(r['floor'])):8.0f} "
          "connections per CPU-second")
    for key, text in (("alone", "floor, alone"), ("floor", f"floor, {CORES} copies"),
                      ("tcp", "floor over TCP"),
                      ("on", "probe on"), ("off", "probe off")):
        server = median_of(rows, lambda r, k=key: r[k][0])
        client = median_of(rows, lambda r, k=key: r[k][1])
        print(f"  {text:16} {server:8.0f} us server + {client:.0f} us client per connection")
    print(f"  max churn        {median_of(rows, lambda r: r['on'][2]):8.0f} connections/s")
    print(f"  floor/actual     {share['on']:8.2f} probe on, {share['off']:.2f} off"
          f"   (target {target})")
    print(f"  floor/TCP        {sockets:8.2f} what bare blocking sockets leave of it")
    print(f"  ledger           {ledger:8.3f} x CPU                   (target {TARGET_LEDGER})")
    print(f"  max churn/floor  {churn['on']:8.2f} on {CORES} processors, {churn['off']:.2f} probe off"
          f"   (target {TARGET_MAX_CHURN})")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description="soak's speed, as ratios within one run")
    parser.add_argument("--case", choices=CASES, action="append", help="only this one (all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=4000)
    parser.add_argument("--calm", type=float, default=10, metavar="SECONDS",
                        help="wait so long for others to be still before each part (10)")
    parser.add_argument("--bin", metavar="FOLDER",
                        help="where the programs are (build/bin, which is built when that is needed)")
    options = parser.parse_args()
    if not options.bin:
        build()
        options.bin = os.path.join(ROOT, "build", "bin")
    check_programs(options.bin)
    machine = Machine(options.calm)
    with tempfile.TemporaryDirectory(prefix="soak-bench-") as results:
        for case in options.case or CASES:
            report(case, measure(case, options, machine, results))
    if machine.share_of_others() > WORTH_A_WORD:
        print(f"Others used {machine.share_of_others():.0%} of the processors meanwhile: "
              "measure again when they are still.")


if __name__ == "__main__":
    main()
