# SPDX-License-Identifier: Apache-2.0
"""What befalls one of a run's two agents, its client, and the connection between it and the run. The other agent
takes over, so that an epoch is lost and no more."""

import contextlib
import dataclasses
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from cell import ANY_TIME, BY_SIGNAL, COMMON, DONE_TO, PATIENT, PHASES, Cell, Failed, length, look, until_told
from observed import BIN, Observed, until
from patience import IN_VAIN
from processes import children_named

TOKEN = "0123456789abcdef0123456789abcdef"
AGENT, CLIENT, LINK = "agent", "agent's client", "agent's connection"
LOST = r"lost agent \d \(.*\): "
ALONE = ("never comes", "program missing")  # where the run has one agent at most
LATE_S = 3


class Link:
    """The way between an agent and its run, at `address`; `turn` is what becomes of it."""

    def __init__(self, run):
        self.run, self.turn = run, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        """Until an end of it is gone, which may be by a reset."""
        with contextlib.suppress(ConnectionError), self.listener, self.listener.accept()[0] as agent, \
                socket.create_connection(self.run) as run:
            other = {agent: run, run: agent}
            while self.turn != "cut":
                if self.turn == "garbage":
                    for end in other:
                        end.sendall(os.urandom(4096))
                    self.turn = None
                for end in select.select(list(other), [], [], 0.05)[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    if self.turn != "silent":
                        other[end].sendall(data)


def without_client(folder):
    """A soak beside which there is no client that it could start."""
    (folder / "soak").write_bytes((BIN / "soak").read_bytes())
    (folder / "soak").chmod(0o755)
    return folder / "soak"


def join(address, token, folder, name, soak=BIN / "soak"):
    with open(folder / name, "wb") as said:
        return subprocess.Popen([soak, "agent", "--join", address, "--token-file", token], stdout=said,
                                stderr=said)


def where(run):
    """The address that the run waits at."""
    found = until(lambda: re.search(r"soak agent --join (\S+):(\d+)", run.err), "the run to wait for agents")
    return found[1], int(found[2])


def words_of(cell, token, go):
    words = ["run", "default", *COMMON, *PATIENT, *length(cell), "--agents", 2, "--agents-listen", "127.0.0.1:0",
             "--token-file", token]
    if cell.phase == "hold":
        words += ["--defect", "lost-state", "--keep-going"]
    if cell.phase == "drain":
        words += ["--on-drain", until_told(go)]
    return words + (["--agents-wait", IN_VAIN] if cell.what in ALONE else [])


def befall(run, cell, agent, link):
    if cell.who == LINK:
        link.turn = cell.what
        return
    pid = agent.pid if cell.who == AGENT else until(lambda: children_named(agent.pid, "soak-client"), "its client")[0]
    DONE_TO[cell.what](pid, run)


def is_lost(cell):
    """Whether the run must find that it has lost it."""
    return cell.what not in ("STOP 1 s", "STOP 30 s", "no more memory")


def in_phase(run, cell, go, agent, link):
    """What had been measured when it happened."""
    if not run.reached(PHASES[cell.phase]):
        raise Failed(f"it ended before it was {PHASES[cell.phase]}")
    if cell.phase == "drain":
        until(lambda: run.find("sh", str(go)) or run.ended(), "the command")
    seen = run.checkpoints()
    befall(run, cell, agent, link)
    go.touch()
    if cell.phase in ("warm-up", "measuring"):
        if is_lost(cell) and not run.reached("lost agent"):
            raise Failed(f"it isn't lost: {run.err}")
        until(lambda: run.checkpoints() >= seen + 2 or run.ended(), "it to go on")
        run.process.send_signal(signal.SIGINT)  # it would go on for long
    return seen


def ended(run, agents):
    """Whoever was stopped goes on, and finds that the run is over."""
    run.wait()
    for agent in agents:
        if agent.poll() is None:
            os.kill(agent.pid, signal.SIGCONT)


def outcome(run, cell, seen):
    found = look(run, cell, seen)
    told = re.search(LOST + ".*", run.err)
    if cell.phase != "drain" and cell.phase != ANY_TIME and is_lost(cell) and not told:
        raise Failed(f"it isn't lost: {run.err}")
    return dataclasses.replace(found, reason=told[0]) if told and found.code != 4 else found


def play(cell):
    with tempfile.TemporaryDirectory(prefix="soak-cell-") as name:
        folder = Path(name)
        token, go = folder / "token", folder / "go"
        token.write_text(TOKEN + "\n", encoding="ascii")
        token.chmod(0o600)
        with Observed(*words_of(cell, token, go)) as run:
            host, port = where(run)
            link = Link((host, port))
            soak = without_client(folder) if cell.who == CLIENT and cell.what == "program missing" else BIN / "soak"
            agents = [join(link.address, token, folder, "one", soak)]
            if cell.what == "late":
                threading.Event().wait(LATE_S)
            if cell.what != "never comes":
                agents.append(join(f"{host}:{port}", token, folder, "two"))
            seen = 0 if cell.phase == ANY_TIME else in_phase(run, cell, go, agents[0], link)
            ended(run, agents)
            return outcome(run, cell, seen)


def cells():
    for phase in PHASES:
        good = (1,) if phase == "hold" else (0, 3)
        for who in (AGENT, CLIENT):
            for what in BY_SIGNAL:
                yield Cell(who, what, phase, good)
            yield Cell(who, "STOP 1 s", phase, good)
            yield Cell(who, "STOP 30 s", phase, good, long=True)
        yield Cell(AGENT, "STOP", phase, good, long=True)
        for what in ("cut", "garbage", "silent"):
            yield Cell(LINK, what, phase, good, long=what == "silent")
    for phase in ("measuring", "drain"):
        yield Cell(CLIENT, "no more memory", phase, (0, 3, 4))
    yield Cell(CLIENT, "program missing", ANY_TIME, (4,), "didn't join within --agents-wait")
    yield Cell(AGENT, "late", ANY_TIME, (0, 3))
    yield Cell(AGENT, "never comes", ANY_TIME, (4,), "didn't join within --agents-wait")
