# SPDX-License-Identifier: Apache-2.0
"""What befalls nginx under test: one of its processes, and a reload in between."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

from cell import BY_SIGNAL, COMMON, DONE_TO, PATIENT, PHASES, Cell, Failed, length, look, until_told
from observed import ROOT, Observed, until

SCENARIO = ROOT / "scenarios/servers/nginx.soak"
# It lies where an ordinary user's PATH doesn't lead.
os.environ["PATH"] += ":/usr/sbin"
ROLES = {"nginx worker": "worker process", "nginx master": "master process"}


def play(cell):
    if not shutil.which("nginx"):
        raise Failed("SKIP: no nginx(8)")
    with tempfile.TemporaryDirectory(prefix="soak-cell-") as folder:
        go = Path(folder) / "go"
        words = ["run", SCENARIO, *COMMON, *PATIENT, *length(cell)]
        if cell.phase == "drain":
            words += ["--on-drain", until_told(go)]
        with Observed(*words) as run:
            return look(run, cell, befall(run, cell, go))


def befall(run, cell, go):
    if not run.reached(PHASES[cell.phase]):
        raise Failed(f"it ended before it was {PHASES[cell.phase]}")
    if cell.phase == "drain":
        until(lambda: run.find("sh", str(go)) or run.ended(), "the command")
    seen = run.checkpoints()
    pid = run.find("nginx", ROLES[cell.who])
    if not pid:
        raise Failed("there is nobody to do it to")
    if cell.what == "reload":
        os.kill(pid, signal.SIGHUP)
    else:
        DONE_TO[cell.what](pid, run)
    go.touch()
    # Another worker takes its place, and the run goes on.
    if cell.who == "nginx worker" or cell.what == "reload":
        go_on(run, cell, seen)
    return seen


def go_on(run, cell, seen):
    if cell.phase in ("warm-up", "measuring"):
        until(lambda: run.checkpoints() >= seen + 2 or run.ended(), "it to go on")
        run.process.send_signal(signal.SIGINT)


def cells():
    for phase in ("warm-up", "measuring", "drain"):
        late = phase == "drain"
        for what, says in BY_SIGNAL.items():
            yield Cell("nginx master", what, phase, (0, 3, 4) if late else (4,), says)
            yield Cell("nginx worker", what, phase, (0, 3, 4))
        yield Cell("nginx worker", "STOP 1 s", phase, (0, 3))
        yield Cell("nginx master", "reload", phase, (0, 3, 4))
