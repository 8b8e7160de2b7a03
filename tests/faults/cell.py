# SPDX-License-Identifier: Apache-2.0
"""One cell of the matrix: whom something befalls, what, and in which phase; the ways to do it to a process, and
what must hold of the run afterwards."""

import dataclasses
import os
import re
import resource
import signal
import time
from pathlib import Path

PHASES = {"warm-up": "warming up", "measuring": "measuring", "hold": "holding", "drain": "draining"}
ANY_TIME = "from the start"
COMMON = ("--conns", 20, "--seed", "7f3a", "--watchdog", "10s")
PATIENT = ("--watchdog", "10m")  # where the fault isn't a silence
BY_SIGNAL = {"KILL": r"signal 9 \(SIGKILL\)", "SEGV": r"signal 11 \(SIGSEGV\)", "ABRT": r"signal 6 \(SIGABRT\)"}


@dataclasses.dataclass(frozen=True)
class Cell:
    """`who` it befalls, `what` happens, `phase`; the exits that are right, the words of its reason."""
    who: str
    what: str
    phase: str
    exits: tuple
    says: str = ""
    long: bool = False

    @property
    def name(self):
        return f"{self.who} {self.what} {self.phase}"


class Failed(Exception):
    pass


# ---- the runs ----


def length(cell):
    """Long enough for the phase to be met; a run that gets to its end is short."""
    if cell.phase in ("warm-up", "measuring") and cell.what != "no more memory":
        return ("--churn", "300/s", "--closed", 100000)
    return ("--churn", "max", "--closed", 1500)


def until_told(observed_flag):
    """The drain waits for this command, and it for the file."""
    return f"sh -c 'until test -e {observed_flag}; do sleep 0.05; done'"


# ---- done to a process ----


def pause(pid, seconds):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass


def limit(pid, _):
    """No memory from here on but what it has got, and a little."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    size = int(re.search(r"VmSize:\s+(\d+) kB", text)[1]) << 10
    resource.prlimit(pid, resource.RLIMIT_AS, (size + (1 << 20), size + (1 << 20)))


DONE_TO = {
    "KILL": lambda pid, _: os.kill(pid, signal.SIGKILL),
    "SEGV": lambda pid, _: os.kill(pid, signal.SIGSEGV),
    "ABRT": lambda pid, _: os.kill(pid, signal.SIGABRT),
    "STOP": lambda pid, _: os.kill(pid, signal.SIGSTOP),
    "STOP 1 s": lambda pid, _: pause(pid, 1),
    "STOP 30 s": lambda pid, _: pause(pid, 30),
    "no more memory": limit,
}


# ---- what must hold of each ----


def expect(condition, sentence):
    if not condition:
        raise Failed(sentence)


def reason_of(run, document, code):
    """The one sentence that says why; "": none was due."""
    said = [line for line in run.err.splitlines() if line.startswith("soak: ") and not SAYS_PHASE.match(line)]
    if document is None:
        # A full disk is told of the first sample and of the result, which weren't lost together.
        expect(len(said) == 1 or (len(said) == 2 and "disk is full" in said[0]), f"{len(said)} sentences: {said}")
        return said[-1]
    if document["broken"]:
        first = " ".join(run.out.split("\n\n")[0].split())
        expect(document["broken"].split(";")[0][:60] in first or code == 1, f"the head doesn't say it: {first}")
        expect("\n" not in document["broken"], "more than a line")
        return document["broken"]
    return "" if code in (0, 1) else document["headline"]


SAYS_PHASE = re.compile(r"soak: (?:\d+[hms ]*)+ |soak: interrupted|soak: about ")


def look(run, cell, seen):
    code = run.wait()
    left = run.settle()
    document = run.document()
    told = f"exit {code}\n{run.out}\n{run.err}"
    expect(code >= 0, f"soak itself crashed: {told}")
    expect(left is not None, f"something goes on running: {run.alive()}")
    expect(not run.litter(), f"left: {run.litter()}")
    expect(document is None or document["exit"] == code, f"result.json says {document and document['exit']}: {told}")
    interrupted = bool(document and document["interrupted"])
    right = (130,) if interrupted else cell.exits
    expect(code in right, f"not one of {right}: {told}")
    reason = reason_of(run, document, code)
    expect(not cell.says or code not in (2, 4) or re.search(cell.says, reason), f"another reason: {reason}\n{told}")
    expect(bool(reason) or code in (0, 1), f"no reason: {told}")
    if seen:
        expect(document, f"no result: {told}")
        expect(run.checkpoints() >= seen, f"of {seen} checkpoints {run.checkpoints()} are kept")
        expect(document["run"]["epochs"] == run.checkpoints() or code == 130, "the result has not all checkpoints")
        expect(all(s["metrics"] for s in document["subjects"]), f"nothing of it is told: {told}")
    if document:
        expect(run.report()[0] == 0, f"`soak report` can't open it: {run.report()[1]}")
    return Outcome(document["verdict"] if document else "refused", code, reason, left)


@dataclasses.dataclass(frozen=True)
class Outcome:
    verdict: str
    code: int
    reason: str
    left_s: float
