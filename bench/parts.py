# SPDX-License-Identifier: Apache-2.0
"""Which part of the CPU time per connection is whose: samples of perf, by program and by the library, or
by the source file, of the function that ran."""

import collections
import os
import re
import shutil
import subprocess

PARTS = ("libcrypto", "libssl", "allocator", "libc", "kernel", "loop", "probe", "own code")
LIBRARIES = (("libcrypto", "libcrypto"), ("libssl", "libssl"), ("libjemalloc", "allocator"), ("[", "kernel"),
             ("libuv", "loop"), ("libc.", "libc"), ("libm.", "libc"), ("ld-linux", "libc"))
PROGRAMS = {"server": "soak-server", "client": "soak-client"}


def why_not():
    """Why there can be no such table here, or None."""
    if not shutil.which("perf"):
        return "perf isn't installed (package linux-perf)"
    done = subprocess.run(["perf", "record", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else "perf can't record: " + (done.stderr.strip() or "?").splitlines()[0]


def recorded(path, command):
    """The command that runs `command`, and records it in `path`."""
    return ["perf", "record", "-F", "997", "-o", path, "--", *command]


def probe_functions(program):
    """By the file where each is defined: nm reads it from the debug information."""
    done = subprocess.run(["nm", "-l", program], capture_output=True, text=True, check=False)
    return {match[1] for match in re.finditer(r"^\S+ [tT] (\S+)\t\S*/probe/", done.stdout, re.M)}


def part_of(library, function, probe):
    name = os.path.basename(library)
    for begins, part in LIBRARIES:
        if name.startswith(begins):
            return part
    return "probe" if function.split("@")[0] in probe else "own code"


def shares(path, folder):
    """{side: {part: its share of the side's samples}}."""
    done = subprocess.run(["perf", "report", "-i", path, "--no-children", "--stdio", "-g", "none", "-F",
                           "sample,comm,dso,sym", "-t", "|"], capture_output=True, text=True, check=False)
    counted = {side: collections.Counter() for side in PROGRAMS}
    for side, program in PROGRAMS.items():
        probe = probe_functions(os.path.join(folder, program))
        for samples, comm, library, function in re.findall(r"^ *(\d+) *\|(\S+) *\|(\S+) *\|\[.\] (\S+)",
                                                           done.stdout, re.M):
            if comm == program[:15]:
                counted[side][part_of(library, function, probe)] += int(samples)
    return {side: {part: counted[side][part] / (sum(counted[side].values()) or 1) for part in PARTS}
            for side in counted}


def report(of_side, cost):
    """`cost`: CPU microseconds per connection by side."""
    print("CPU per connection by part, TLS 1.3 P-256")
    print(f"  {'':10} {'server':>16}   {'client':>16}")
    for part in PARTS:
        cells = (f"{of_side[side][part] * cost[side]:7.1f} us {of_side[side][part]:5.1%}" for side in PROGRAMS)
        print(f"  {part:10} " + "   ".join(f"{cell:>16}" for cell in cells))
    print("  " + f"{'all':10} " + "   ".join(f"{cost[side]:7.1f} us       " for side in PROGRAMS))
