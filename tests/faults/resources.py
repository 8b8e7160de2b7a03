#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs in which the system refuses something: the Nth allocation, the Nth file, the Nth write, a process; a file of
/proc, the clock, a processor, ports. A run in which nothing leaks is never a LEAK, and one that leaks never a PASS;
each ends by itself, with a sentence and without a signal, and leaves nothing.

    python3 tests/faults/resources.py [--only WORDS]... [--each N] [--start N] [--jobs N] [--write]

--each: how many of the calls of a kind are made to fail, spread over all that a run makes; --start: how many of the
allocations that each program makes before its first connection (0: every one). Exit 1 when one isn't as it should
be."""

import argparse
import collections
import concurrent.futures
import dataclasses
import errno
import os
import re
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

import book
from observed import BIN, DISK, UNSHARE, Observed, may, until

FAIL_NTH = BIN / "libfail-nth.so"
KINDS = ("memory", "open", "write", "fork", "clock")
RUN = ("run", "default", "--conns", 10, "--churn", "max", "--closed", 300, "--seed", 1, "--watchdog", "20s")
LEAKS = ("--defect", "lost-state")
RESUMES = ("--resume", "50%")  # what has a time that can be over
PROGRAMS = ("soak", "soak-server", "soak-client")
# `on`: from then on all fail, as on a disk that stays full.
ERRORS = {"memory": ("ENOMEM",), "open": ("EMFILE", "EMFILE on"),
          "write": ("ENOSPC", "EROFS", "EDQUOT", "ENOSPC on", "EROFS on", "EDQUOT on"), "fork": ("EAGAIN",)}
# Where the calls of soak's own children are looked at there is no writing of theirs, and no process.
OF_CHILDREN = ("memory", "open")
STARTING = "memory ENOMEM starting"  # of the allocations before the first connection


@dataclasses.dataclass(frozen=True)
class Fault:
    """The Nth call of the kind in the program, or what `how` does."""
    program: str
    what: str
    nth: int = 0
    leaks: bool = False
    how: str = "call"

    @property
    def name(self):
        nth = f" {self.nth}" if self.nth else ""
        return f"{self.program}: {self.what}{nth}{' in a run that leaks' if self.leaks else ''}"

    @property
    def group(self):
        return self.program, self.what


class Failed(Exception):
    pass


def expect(condition, sentence):
    if not condition:
        raise Failed(sentence)


class Preloaded:
    """The words and the environment by which the program's calls are counted, and one of them fails."""

    def __init__(self, folder, fault, fail="", clock="", path=""):
        self.page = folder / "page"
        self.page.write_bytes(bytes(8 * (len(KINDS) + 1)))
        self.variables = {"LD_PRELOAD": str(FAIL_NTH), "FAIL_IN": fault.program, "FAIL_PAGE": str(self.page)}
        for name, value in (("FAIL", fail), ("FAIL_CLOCK", clock), ("FAIL_PATH", path)):
            if value:
                self.variables[name] = value
        self.own = fault.program == "soak"
        self.env = self.variables if self.own else {}
        self.words = [] if self.own else [w for k, v in self.variables.items() for w in ("--env", f"{k}={v}")]

    def counts(self):
        *calls, failed = struct.unpack(f"<{len(KINDS) + 1}Q", self.page.read_bytes())
        return dict(zip(KINDS, calls)), failed


def preloaded(fault):
    if fault.how == "path":
        return {"fail": f"open 0 {errno.ENOENT}", "path": fault.what.split()[-1]}
    if fault.how == "clock":
        return {"clock": f"{fault.nth} {fault.what.split()[1]}"}
    kind, error, *on = fault.what.removesuffix(" starting").split()
    return {"fail": " ".join([f"{kind} {fault.nth} {getattr(errno, error)}", *on])} if fault.nth else {}


# ---- what is done ----


def count(program):
    """How many calls of each kind the program makes in a run."""
    with tempfile.TemporaryDirectory(prefix="soak-count-") as folder:
        by = Preloaded(Path(folder), Fault(program, "memory ENOMEM"))
        with Observed(*RUN, *by.words, env=by.env) as run:
            expect(run.wait() == 0, f"the run to count in isn't a PASS: {run.out}\n{run.err}")
        return by.counts()[0]


def count_start(program):
    """How many allocations until connections are made."""
    with tempfile.TemporaryDirectory(prefix="soak-count-") as folder:
        by = Preloaded(Path(folder), Fault(program, STARTING))
        with Observed("run", "default", "--conns", 1, "--churn", "1/s", "--seed", 1, *by.words, env=by.env) as run:
            expect(run.reached("warming up"), f"the run to count in has ended: {run.err}")
            return by.counts()[0]["memory"]


def suspend(run, seconds):
    """All of them stand still for a while, as on a notebook whose lid is shut; for longer than --watchdog, too."""
    until(lambda: run.find("soak-client") and run.checkpoints() or run.ended(), "it to work")
    pids = list(run.alive())
    for number, rest in ((signal.SIGSTOP, seconds), (signal.SIGCONT, 0)):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        time.sleep(rest)


# How a run is started where the machine is another, and what is done to it.
OWN_PROC = [*UNSHARE, "--pid", "--fork", "--kill-child"]
PORTS = "ip link set lo up && echo {} >/proc/sys/net/ipv4/ip_local_port_range && exec \"$@\""
# The sleep is another's.
HIDE = "mount -t proc -o hidepid=2 proc /proc || exit 9; sleep 600 & "
NOBODY = "chown -R nobody \"$(dirname \"$TMPDIR\")\" && exec setpriv --reuid=nobody --regid=nogroup --clear-groups \"$@\""
ONE_CORE = "taskset -pc $(taskset -pc $$ | sed 's/.*[:,-] *//') $$ >/dev/null && "
# The load of the core that the run has: the machine may have other work.
BUSY = "for i in $(seq 20); do (while :; do :; done) & all=\"$all $!\"; done; \"$@\"; code=$?; kill $all; exit $code"
SHELL = {
    "no /dev/shm": (UNSHARE, "mount -t tmpfs -o size=4k,mode=0 none /dev/shm && exec \"$@\""),
    "four ports": ([*UNSHARE, "--net"], PORTS.format("40000 40003")),
    "one port for all connections": ([*UNSHARE, "--net"], PORTS.format("40000 40000")),
    "hidden processes": (OWN_PROC, HIDE + "exec \"$@\""),
    "hidden processes, as nobody": (OWN_PROC, HIDE + NOBODY),
    "one core": ([], ONE_CORE + "exec \"$@\""),
    "load 20 on one core": ([], ONE_CORE + BUSY),
    "read-only results": (UNSHARE, DISK.format("ro")),
    "results of 64 KB": (UNSHARE, DISK.format("size=64k")),
}
ONLY_ROOT = {"hidden processes, as nobody"}
# What can't be done there: the exits that are right.
REFUSED = {"one port for all connections": (4,), "read-only results": (2,)}


def enter(what):
    """The words before soak's."""
    namespaces, script = SHELL[what]
    if what in ONLY_ROOT and os.geteuid() != 0:
        raise Failed("SKIP: only root can become somebody else")
    if not may(namespaces):
        raise Failed("SKIP: unshare(1) may not make such a namespace here")
    return [*namespaces, "sh", "-c", script, "sh"]


def start(fault, folder):
    """(Observed, Preloaded or None)"""
    words = [*RUN, *(LEAKS if fault.leaks else ()), *(RESUMES if fault.how == "clock" else ())]
    if fault.how == "shell":
        return Observed(*words, under=enter(fault.what)), None
    if fault.how == "suspend":
        return Observed(*words), None
    by = Preloaded(folder, fault, **preloaded(fault))
    return Observed(*words, *by.words, env=by.env), by


def play(fault):
    """(fault, exit code or None, what is wrong)"""
    try:
        with tempfile.TemporaryDirectory(prefix="soak-fault-page-") as folder:
            run, by = start(fault, Path(folder))
            with run:
                if fault.how == "suspend":
                    suspend(run, int(fault.what.split()[2]))
                return fault, look(run, fault), None
    except (Failed, AssertionError, OSError, ValueError) as e:
        return fault, None, f"{type(e).__name__}: {e}"


# ---- what must hold ----


def said(run):
    """Its sentences but for its phases, and for what this command preloads."""
    return [line for line in run.err.splitlines() if re.match(r"soak[\w-]*: (?!\d+[hms]|about |LD_PRELOAD )", line)]


def look(run, fault):
    code, left, document = run.wait(), run.settle(), run.document()
    told = f"exit {code}\n{run.out[:1500]}\n{run.err[:1500]}"
    expect(code >= 0, f"it crashed: {told}")
    expect(left is not None, f"it goes on running: {run.alive()}")
    expect(not run.litter(), f"left: {run.litter()}")
    right = REFUSED.get(fault.what, (1, 2, 3, 4) if fault.leaks else (0, 2, 3, 4))
    expect(code in right, f"a wrong verdict: {told}")
    expect(code in (0, 1) or said(run) or (document and (document["broken"] or document["headline"])),
           f"no reason: {told}")
    # A disk that stays full is told of the samples, of the result, and of the report's text.
    expect(len(said(run)) <= 3, f"more than a sentence: {told}")
    if code in (0, 1) and document:
        expect(document["exit"] == code, f"another exit in result.json: {told}")
        # A LEAK stands where not all could be kept, and that is said.
        expect(document["run"]["epochs"] == run.checkpoints() or (code == 1 and said(run)), f"lost samples: {told}")
    expect(code != 0 or document, f"a PASS that isn't kept: {told}")
    return code


# ---- the command ----


def spread(total, each):
    """`each` of the numbers 1 to total, the first ones and then evenly; 0: all."""
    if each == 0 or each >= total:
        return list(range(1, total + 1))
    return sorted({*range(1, min(each // 4, total) + 1), *(1 + total * i // each for i in range(each))})


def faults(each, start, calls, starting):
    for program in PROGRAMS:
        for i, nth in enumerate(spread(starting[program], start)):
            yield Fault(program, STARTING, nth, leaks=i % 2 == 1)
        for kind, errors in ERRORS.items():
            if program != "soak" and kind not in OF_CHILDREN:
                continue
            for error in errors:
                for i, nth in enumerate(spread(calls[program][kind], each)):
                    # What fails to be written would have to be told of both verdicts.
                    yield Fault(program, f"{kind} {error}", nth, leaks=i % 2 == 1 and kind != "write")
    for text in ("smaps_rollup", "/smaps", "/proc/stat", "/sys/fs/cgroup"):
        yield Fault("soak", f"no {text}", how="path")
    for moved in (3600, -3600):
        for nth in (1, 2, 3):
            yield Fault("soak", f"clock {moved:+d}", nth, how="clock")
        for program in PROGRAMS[1:]:  # of the thousands that a run makes, so while it is under way
            yield Fault(program, f"clock {moved:+d}", 200, how="clock")
            yield Fault(program, f"clock {moved:+d}", 200, leaks=True, how="clock")
    for what in SHELL:
        yield Fault("machine", what, how="shell")
        yield Fault("machine", what, leaks=True, how="shell")
    for seconds in (2, 25):
        yield Fault("machine", f"suspended for {seconds} s", how="suspend")
        yield Fault("machine", f"suspended for {seconds} s", leaks=True, how="suspend")


def chosen(only, each, start):
    calls = {program: count(program) for program in PROGRAMS}
    starting = {program: count_start(program) for program in PROGRAMS}
    print("before its first connection each allocates", starting, flush=True)
    return calls, [f for f in faults(each, start, calls, starting) if not only or
                   any(all(word in f.name for word in o.split()) for o in only)]


def rows(done):
    yield "| in | what fails | tried | as they should be | exits |"
    yield "|---|---|---|---|---|"
    groups = {}
    for fault, code, _ in done:
        groups.setdefault(fault.group, []).append(code)
    for (program, what), codes in groups.items():
        exits = collections.Counter(code for code in codes if code is not None)
        good = ", ".join(f"{n}: {exits[n]}" for n in sorted(exits))
        yield f"| {program} | {what} | {len(codes)} | {sum(exits.values())} | {good} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--start", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    calls, every = chosen(asked.only, asked.each, asked.start)
    print("a run calls", "; ".join(f"{p}: {', '.join(f'{n} {k}' for k, n in c.items())}" for p, c in calls.items()),
          flush=True)
    done = []
    with concurrent.futures.ProcessPoolExecutor(asked.jobs) as pool:
        for ready in concurrent.futures.as_completed([pool.submit(play, fault) for fault in every]):
            fault, code, wrong = ready.result()
            done.append((fault, code, wrong))
            if wrong:
                print(f"WRONG {fault.name}: {wrong}", flush=True)
    done.sort(key=lambda one: every.index(one[0]))
    survived = sum(code is not None for _, code, _ in done)
    summary = f"{len(done)} faults tried, {survived} survived"
    print(*rows(done), summary, sep="\n")
    if asked.write:
        book.put("resources", [*rows(done), "", "The numbers behind the exits are how many runs ended so."], summary)
    return survived != len(done)


if __name__ == "__main__":
    sys.exit(main())
