#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed, as ratios within one run: the harness beside the floor (two SSL objects, with no harness around
them) and beside other programs, at the same time on one core or in turns, so that a slow minute of the machine
hits both. How to read it: bench/README.md.

    bench/bench.py [--row NAME] [--rounds 5] [--connections 4000] [--tls-perf PATH] [--calm SECONDS]
"""

import argparse
import contextlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import parts
import peers

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORES = os.cpu_count()

CASES = {
    # name, also floor's and least's: title, soak options, target for floor over TCP/actual
    "full": ("TLS 1.3 P-256", (), 0.96),
    "rsa": ("TLS 1.3 RSA-2048", ("--key", "rsa2048"), 0.95),
    "resume": ("TLS 1.3 P-256 resumption", ("--resume", "100%"), 0.90),
    "resume12": ("TLS 1.2 P-256 resumption", ("--resume", "100%", "--tls", "1.2"), 0.85),
}
PAIRS = {"epoll": "by epoll", "libuv": "on libuv, as the harness is"}  # how the least client and server wait
MAX_CHURN = 0.75
MANY_OPEN = 10000
CALM = 0.15  # share of the machine that others may use when a part begins
WORTH_A_WORD = 0.10
MADE_HERE = ("floor", "least", "ledger-cost-loop")
CLEAN = ("--clean", "1", "--reset", "0", "--half-close", "0", "--mid-handshake", "0")


def build():
    """The programs as ./soak builds them, and those of bench/. What failed is said by set-up itself."""
    done = subprocess.run(["sh", os.path.join(ROOT, "scripts", "setup.sh"), "run"], check=False)
    if done.returncode:
        sys.exit(done.returncode)
    done = subprocess.run(["cmake", "--build", os.path.join(ROOT, "build"), "--target", *MADE_HERE],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit("bench: the programs of bench/ can't be built: " + (done.stdout.strip() or "cmake failed")
                 .splitlines()[-1])


def check_programs(folder):
    for name in (*MADE_HERE, "soak", "soak-server", "soak-client"):
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


def floor_command(folder, connections, case, over):
    return [os.path.join(folder, "floor"), str(connections), case, over]


def floor(folder, connections, case, over, copies):
    """CPU per connection in microseconds (server, client) in `memory` or over `tcp`; `copies` at the same time."""
    command = floor_command(folder, connections, case, over)
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(copies)]
    results = [json.loads(p.communicate()[0]) for p in running]
    return (statistics.mean(r["server_us"] for r in results),
            statistics.mean(r["client_us"] for r in results))


def harness(options, results, *more, around=lambda command: command):
    """CPU per connection over the measured epochs (server, client), and connections per second."""
    command = around([os.path.join(options.bin, "soak"), "--churn", "max", *CLEAN, "--quiet", "--results", results,
                      *more])
    last = os.path.join(results, "last", "result.json")
    with contextlib.suppress(FileNotFoundError):
        os.remove(last)  # an earlier run's: one that is refused would leave it
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        with open(last, encoding="utf-8") as f:
            result = json.load(f)
    except FileNotFoundError:
        sys.exit(f"bench: soak left no result (exit {done.returncode}): {done.stderr.strip()}")
    cost = {s["name"]: s["cost"]["cpu_us_per_conn"] for s in result["subjects"]}
    if result["run"]["errors"]["total"] or not cost.get("server"):
        sys.exit(f"bench: the harness failed: {result.get('broken') or result['reasons']}")
    return cost["server"], cost["client"], result["run"]["rate_per_s"]


def is_still(machine):
    """Whether what is by the clock, such as churn, says anything."""
    return machine.share_of_others() <= WORTH_A_WORD


def median_of(rows, key):
    return statistics.median(key(r) for r in rows)


def cpu(part):
    return part[0] + part[1]


class Table:
    """What is said at the end: a ratio and its target each, in the order in which they are measured."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append("  " + line)
        print(self.lines[-1], flush=True)

    def add(self, text, ratio, sign, target, told=True):
        """`sign`: at least (>=) or at most (<=) the target. `told`: whether the machine was still enough."""
        met = ratio >= target if sign == ">=" else ratio <= target
        verdict = "not told: others were busy" if not told else "met" if met else "missed"
        self.say(f"{text:62} {ratio:6.3f}  {sign} {target:.3f}  {verdict}")

    def skip(self, text, why):
        self.say(f"{text:62} skipped: {why}")

    def report(self):
        print("\nall of it")
        print("\n".join(self.lines))


def beside_tcp(options, case, other):
    """The floor over TCP, divided by what `other` takes: CPU per connection, both on one core at the same time."""
    core, _ = peers.cores()
    command = ["taskset", "-c", str(core), *floor_command(options.bin, options.connections, case, "tcp")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as beside:
        took = other(core)
        bare = json.loads(beside.communicate()[0])
    return cpu((bare["server_us"], bare["client_us"])) / took


def harness_on(options, results, load):
    return lambda core: cpu(harness(options, results, *load,
                                    around=lambda words: ["taskset", "-c", str(core), *words]))


def measure_case(case, options, machine, results):
    """A round: beside the floor over TCP, the harness and the least pair; then, in turns on all processors, the
    harness with the probe and without it, and the floor in memory and over TCP."""
    bin_, count = options.bin, options.connections
    load = ("--conns", "30", "--closed", str(count), *CASES[case][1])
    row = {
        "beside": machine.run(beside_tcp, options, case, harness_on(options, results, load)),
        **{way: machine.run(beside_tcp, options, case, lambda core, w=way: peers.least_pair(bin_, core, case, count, w))
           for way in PAIRS},
        "on": machine.run(harness, options, results, *load),
        "floor": machine.run(floor, bin_, count // 4, case, "memory", CORES),
        "tcp": machine.run(floor, bin_, count // 4, case, "tcp", CORES),
        "off": machine.run(harness, options, results, *load, "--no-probe"),
    }
    if case == "full":
        row["least_churn"] = machine.run(peers.least_churn, bin_, count, CORES)
    return row


def add_max_churn(rows, machine, table):
    def add(text, rate):
        """A rate, of what the floor in memory would make on all processors."""
        table.add(text, median_of(rows, lambda r: rate(r) * cpu(r["floor"]) / CORES / 1e6), ">=", MAX_CHURN,
                  is_still(machine))
    add(f"max churn/floor on {CORES} processors, 30 open", lambda r: r["on"][2])
    add(f"  limit: the least server's with {CORES} of the least clients", lambda r: r["least_churn"])
    add("  limit: the floor over TCP's, as many at once", lambda r: CORES * 1e6 / cpu(r["tcp"]))


def floors(case, options, machine, results, table):
    """The harness against the floor, in one case."""
    title, _, target = CASES[case]
    rows = [measure_case(case, options, machine, results) for _ in range(options.rounds)]
    print(title)
    for key, text in (("floor", f"in memory, {CORES} copies"), ("tcp", f"over TCP, {CORES} copies"),
                      ("on", "probe on"), ("off", "probe off")):
        server = median_of(rows, lambda r, k=key: r[k][0])
        client = median_of(rows, lambda r, k=key: r[k][1])
        print(f"  {text:20} {server:6.0f} us server + {client:.0f} us client per connection")
    bare = median_of(rows, lambda r: cpu(r["floor"]) / cpu(r["on"]))
    print(f"  max churn            {median_of(rows, lambda r: r['on'][2]):6.0f} connections/s")
    print(f"  floor in memory/actual {bare:6.2f}, for comparison: bare sockets use it up")
    print(f"  ledger               {median_of(rows, lambda r: cpu(r['on']) / cpu(r['off'])):6.3f} x CPU")
    table.add(f"floor over TCP/actual, {title}", median_of(rows, lambda r: r["beside"]), ">=", target)
    for way, how in PAIRS.items():
        table.add(f"  limit: the floor over TCP/the least pair, {how}", median_of(rows, lambda r, w=way: r[w]), ">=", target)
    if case == "full":
        add_max_churn(rows, machine, table)


def pairs(text, compare, target, options, machine, table):
    """The median of the ratios of two programs that run at the same time."""
    ratios = [ours / theirs for ours, theirs in (machine.run(compare) for _ in range(options.rounds))]
    table.add(text, statistics.median(ratios), "<=", target)


def against_peers(options, machine, _, table):
    missing, bin_, seconds = peers.missing(options), options.bin, options.seconds
    tls_perf = peers.tls_perf(options.tls_perf)
    def clients(one, other):
        return lambda: peers.compare_clients(bin_, one, other, seconds)

    def servers(server):
        return lambda: peers.compare_servers(bin_, server, seconds)

    for peer, text, compare, target in (
            ("tls-perf", "client CPU, clean connection, over tls-perf's handshake + RST",
             clients(peers.soak(bin_, "clean"), tls_perf), 0.95),
            ("tls-perf", "  limit: the least client's, over the same",
             clients(peers.least_client(bin_, "clean"), tls_perf), 0.95),
            ("tls-perf", "  limit: the same on libuv and with the ledger",
             clients(peers.least_client(bin_, "clean", "libuv", "ledger"), tls_perf), 0.95),
            ("tls-perf", "client CPU, handshake + RST, over tls-perf's",
             clients(peers.soak(bin_, "rst-finished"), tls_perf), 0.90),
            ("tls-perf", "  limit: the least client's, over the same",
             clients(peers.least_client(bin_, "reset"), tls_perf), 0.90),
            ("tls-perf", "  limit: the same on libuv and with the ledger",
             clients(peers.least_client(bin_, "reset", "libuv", "ledger"), tls_perf), 0.90),
            ("s_time", "client CPU, clean connection, over openssl s_time -new",
             clients(peers.soak(bin_, "clean"), peers.s_time), 0.55),
            ("s_time", "  limit: the least client's on libuv and with the ledger",
             clients(peers.least_client(bin_, "clean", "libuv", "ledger"), peers.s_time), 0.55),
            ("nginx", "server CPU, ledger on, over nginx, one worker", servers(peers.soak_server), 0.95),
            ("nginx", "  limit: the least server's, over the same", servers(peers.least_server), 0.95),
            ("nginx", "  limit: the same on libuv and with the ledger", servers(peers.least_server_on_libuv), 0.95)):
        if peer in missing:
            table.skip(text, missing[peer])
        else:
            pairs(text, compare, target, options, machine, table)


def many_open(options, machine, results, table):
    """In turns, a round of each: filling 10,000 slots takes time."""
    few, many = [], []
    for _ in range(min(options.rounds, 3)):
        few.append(machine.run(harness, options, results, "--conns", "30", "--closed", str(options.connections)))
        many.append(machine.run(harness, options, results, "--conns", str(MANY_OPEN), "--closed", str(4 * MANY_OPEN)))
    ratio = statistics.median(m[2] / f[2] for f, m in zip(few, many))
    table.add(f"max churn, {MANY_OPEN:,} open over 30 open", ratio, ">=", 0.85, told=is_still(machine))
    print(f"  in CPU per connection: {statistics.median(cpu(m) / cpu(f) for f, m in zip(few, many)):.2f} x")


def ledger(options, machine, _, table):
    text = "ledger, in instructions"
    done = subprocess.run([os.path.join(ROOT, "bench", "ledger-cost.sh"),
                           os.path.join(options.bin, "ledger-cost-loop")], capture_output=True, text=True, check=False)
    found = re.search(r"^ratio +([\d.]+)", done.stdout, re.M)
    if found:
        table.add(text, float(found[1]), "<=", 1.015)
    else:
        table.skip(text, done.stderr.strip() or "it counted nothing")


def by_part(options, machine, results, table):
    why = parts.why_not()
    if why:
        table.skip("CPU per connection by part", why)
        return
    with tempfile.TemporaryDirectory(prefix="soak-bench-") as here:
        path = os.path.join(here, "perf.data")
        cost = machine.run(lambda: harness(
            options, results, "--conns", "30", "--closed", str(4 * options.connections),
            around=lambda words: parts.recorded(path, words)))
        parts.report(parts.shares(path, options.bin), {"server": cost[0], "client": cost[1]})


ROWS = {**{case: lambda *a, c=case: floors(c, *a) for case in CASES},
        "peers": against_peers, "open": many_open, "ledger": ledger, "parts": by_part}


def parse():
    parser = argparse.ArgumentParser(description="soak's speed, as ratios within one run")
    parser.add_argument("--row", choices=ROWS, action="append", help="only this one (all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=4000)
    parser.add_argument("--seconds", type=int, default=5, help="for which two programs are compared (5)")
    parser.add_argument("--tls-perf", metavar="PATH", help="the program, to compare with")
    parser.add_argument("--calm", type=float, default=10, metavar="SECONDS",
                        help="wait so long for others to be still before each part (10)")
    parser.add_argument("--bin", metavar="FOLDER",
                        help="where the programs are (build/bin, which is built when that is needed)")
    return parser.parse_args()


def main():
    options = parse()
    if not options.bin:
        build()
        options.bin = os.path.join(ROOT, "build", "bin")
    check_programs(options.bin)
    machine, table = Machine(options.calm), Table()
    with tempfile.TemporaryDirectory(prefix="soak-bench-") as results:
        for name in options.row or ROWS:
            ROWS[name](options, machine, results, table)
    table.report()
    if not is_still(machine):
        print(f"Others used {machine.share_of_others():.0%} of the processors meanwhile: what is compared in turns "
              "(max churn) is to be measured again when they are still.")


if __name__ == "__main__":
    main()
