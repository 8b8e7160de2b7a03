#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the probe costs a server that we don't build: CPU time per full handshake of nginx (of openssl
s_server where nginx isn't installed) with jemalloc alone, with the probe, and with the probe that counts
malloc too. The three take turns, so that a slow minute of the machine hits all. See bench/README.md.

    bench/preload.py [--rounds 15] [--seconds 1] [--key p256|rsa2048] [--request] [--bin FOLDER]
"""

import argparse
import ctypes.util
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(ROOT, "tests", "integration"))
from peers import KEYS, await_server, free_port, make_certificate, nginx_command  # noqa: E402
from probe_page import page_make  # noqa: E402

JEMALLOC = "libjemalloc.so.2"
# name: what is preloaded before jemalloc, and how much CPU time that may cost.
VARIANTS = {
    "jemalloc alone": (None, None),
    "probe": ("libsoakprobe.so", 1.10),
    "probe, malloc too": ("libsoakprobe-malloc.so", 1.25),
}
PATIENCE_S = 60
# The load average that others may add, and what this program and a server make themselves.
BUSY_PER_CPU, OWN_LOAD = 0.5, 1.5
MET, MISSED, NOT_TOLD = range(3)  # exit codes


def descendants(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        children = [int(word) for word in f.read().split()]
    return [pid] + [below for child in children for below in descendants(child)]


class Server:
    """One variant, running from start to end; idle while the others have their turn."""

    def __init__(self, name, options, here):
        self.name = name
        library, self.target = VARIANTS[name]
        self.fd, self.page = page_make()
        self.port = free_port()
        preloaded = ([os.path.join(options.bin, library)] if library else []) + [JEMALLOC]
        at = os.fstat(self.fd)
        environment = dict(os.environ, LD_PRELOAD=":".join(preloaded), SOAK_PROBE=(
            f"fd={self.fd},ino={at.st_dev}:{at.st_ino},path=/proc/{os.getpid()}/fd/{self.fd}"))
        self.process = subprocess.Popen(self.command(here), env=environment, pass_fds=[self.fd],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def command(self, here):
        if not shutil.which("nginx"):
            return ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-quiet", "-www", "-cert",
                    f"{here}/cert.pem", "-key", f"{here}/key.pem"]
        return nginx_command(here, self.port)

    def wait_until_it_answers(self):
        await_server(self.port, self.process, f"the server with {self.name}")

    def check_counts(self):
        counted = sum(thread.allocs for thread in self.page.thread)
        if (VARIANTS[self.name][0] is not None) != (counted > 0):
            sys.exit(f"bench: the server with {self.name} counted {counted} allocations")

    def cpu_ns(self):
        """Of all threads of all processes; /proc/PID/schedstat is the main thread's."""
        total = 0
        for pid in descendants(self.process.pid):
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
                    total += int(f.read().split()[0])
        return total

    def wakeups(self):
        total = 0
        for pid in descendants(self.process.pid):
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", f.read(), re.M)[1])
        return total

    def burst(self, options):
        """CPU time per connection in microseconds."""
        command = ["openssl", "s_time", "-new", "-connect", f"127.0.0.1:{self.port}", "-time", str(options.seconds)]
        before = self.cpu_ns()
        done = subprocess.run(command + (["-www", "/"] if options.request else []), capture_output=True, text=True,
                              check=False)
        connections = re.search(r"^(\d+) connections in \d+ real", done.stdout, re.M)
        if not connections or int(connections[1]) == 0:
            sys.exit(f"bench: no connection: {done.stdout} {done.stderr}")
        return (self.cpu_ns() - before) / int(connections[1]) / 1000

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)


def is_busy(loads):
    """Whether something else had so much of the processors that ratios say little."""
    return max(loads) > BUSY_PER_CPU * os.cpu_count() + OWN_LOAD


def report(servers, costs, loads):
    base, met, busy = costs[0], True, is_busy(loads)
    print("  load average at each round: " + " ".join(f"{load:.1f}" for load in loads) +
          f" on {os.cpu_count()} processors" + ("; too busy to say whether a target is met" if busy else ""))
    for server, own in zip(servers, costs):
        ratio = statistics.median(mine / plain for mine, plain in zip(own, base))
        verdict = ""
        if server.target:
            met = met and ratio <= server.target
            word = "not told" if busy else "met" if ratio <= server.target else "missed"
            verdict = f"{ratio:8.3f}   (target {server.target}: {word})"
        print(f"  {server.name:20} {statistics.median(own):8.1f} us CPU per connection {verdict}")
    return NOT_TOLD if busy else MET if met else MISSED


def report_idleness(servers):
    before = [server.wakeups() for server in servers]
    time.sleep(2)
    woken = [server.wakeups() - was for server, was in zip(servers, before)]
    print("  wakeups in 2 idle seconds: " + ", ".join(f"{s.name} {n}" for s, n in zip(servers, woken)))
    return all(n <= woken[0] for n in woken)


def measure(options, here):
    make_certificate(here, options.key)
    servers = [Server(name, options, here) for name in VARIANTS]
    try:
        for server in servers:
            server.wait_until_it_answers()
            server.burst(options)
            server.check_counts()
        rounds, loads = [], []
        for _ in range(options.rounds):
            loads.append(os.getloadavg()[0])
            rounds.append([server.burst(options) for server in servers])
        code = report(servers, list(zip(*rounds)), loads)
        return code if report_idleness(servers) else MISSED
    finally:
        for server in servers:
            server.stop()


def main():
    parser = argparse.ArgumentParser(description="what the probe costs a server that we don't build")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=1, help="of each turn (1)")
    parser.add_argument("--key", choices=KEYS, default="p256")
    parser.add_argument("--request", action="store_true", help="one HTTP request per connection as well")
    parser.add_argument("--bin", metavar="FOLDER", default=os.path.join(ROOT, "build", "bin"))
    options = parser.parse_args()
    for library, _ in VARIANTS.values():
        if library and not os.path.exists(os.path.join(options.bin, library)):
            sys.exit(f"bench: {options.bin} has no {library}; make it by: cmake --build FOLDER/..")
    if not ctypes.util.find_library("jemalloc"):
        sys.exit("bench: libjemalloc2 isn't installed")
    print(f"{'nginx' if shutil.which('nginx') else 'openssl s_server'}, full handshakes, {options.key}")
    with tempfile.TemporaryDirectory(prefix="soak-bench-") as here:
        sys.exit(measure(options, here))


if __name__ == "__main__":
    main()
