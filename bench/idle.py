#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an idle connection costs the client: RssAnon, the difference of two clients that hold so many
connections and do next to nothing else. Where it lies: bench/README.md.

    bench/idle.py [--bin FOLDER] [--few 1100] [--many 3100]
"""

import argparse
import contextlib
import os
import re
import sys
import time

import peers

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SETTLE_S = 4  # after the last has been opened: its echo


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"^RssAnon:\s+(\d+)", f.read(), re.M)[1])


def await_files(process, count):
    end = time.monotonic() + peers.PATIENCE_S
    while len(os.listdir(f"/proc/{process.pid}/fd")) < count:
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"idle: the client doesn't open {count} connections")
        time.sleep(0.2)


def holding(folder, count):
    """KiB of a client that holds so many."""
    core, other = peers.cores()
    port = peers.free_port()
    with contextlib.ExitStack() as stack:
        stack.enter_context(peers.serving(other, peers.soak_server(folder, port), port))
        client = peers.Pinned(core, [*peers.soak_client(folder, port, "clean", count=count), "--churn", "1/s"])
        await_files(client.process, count)
        time.sleep(SETTLE_S)
        kib = resident_kib(client.process.pid)
        client.process.terminate()
        client.end()
    return kib


def main():
    parser = argparse.ArgumentParser(description="RssAnon of the client per idle connection")
    parser.add_argument("--bin", metavar="FOLDER", default=os.path.join(ROOT, "build", "bin"))
    parser.add_argument("--few", type=int, default=1100)
    parser.add_argument("--many", type=int, default=3100)
    options = parser.parse_args()
    few, many = holding(options.bin, options.few), holding(options.bin, options.many)
    print(f"{(many - few) / (options.many - options.few):.1f} KiB of RssAnon per idle connection "
          f"({few:,} KiB with {options.few:,} open, {many:,} KiB with {options.many:,})")


if __name__ == "__main__":
    main()
