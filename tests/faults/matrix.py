#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does to a run what can go wrong with its server, its client and their machine, in each of its phases,
and looks at what becomes of it: one sentence of reason, the right exit code, what was measured kept, and
nothing left.

    python3 tests/faults/matrix.py [--only WORDS]... [--long] [--jobs N] [--write]

--only: the cells in whose names all of the words stand. --long: the stops of 30 s, too. --write puts the
table into results/faults.md. Exit 1 when a cell isn't as it should be."""

import argparse
import concurrent.futures
import os
import re
import resource
import signal
import socket
import sys
import tempfile
from pathlib import Path

import agent_cells
import book
import nginx_cells
from cell import (ANY_TIME, BY_SIGNAL, COMMON, DONE_TO, PATIENT, PHASES, Cell, Failed, length, look,
                  until_told)
from observed import BIN, DISK, ROOT, UNSHARE, Observed, may, soak_run, until
from patience import IN_VAIN
from processes import memory_group

PEERS = Path(__file__).with_name("peers.py")
TABLE = ROOT / "results/faults.md"
BUILTIN = {"server": "soak-server", "client": "soak-client"}
FOREIGN = ("program", *nginx_cells.ROLES)


# ---- the runs ----


def peer(how, flag):
    return f"{sys.executable} {PEERS} {how} {flag} {{address}} {{cert}} {{key}}"


def words_of(cell, flag, go):
    words = ["run", "default", *COMMON, *length(cell)]
    if cell.who == "program":
        grows = "grows" if cell.phase == "hold" else "serves"
        words += ["--server", peer(cell.what if cell.what in TURNS else grows, flag)]
    elif cell.phase == "hold":
        words += ["--defect", "lost-state", "--keep-going"]
    if cell.phase == "drain":
        words += ["--on-drain", until_told(go)]
    if cell.what not in SILENT:
        words += PATIENT
    return words


def victim(run, cell):
    if cell.who == "program":
        return run.find(Path(sys.executable).resolve().name, str(PEERS)) or run.find("python3", str(PEERS))
    return run.find(BUILTIN[cell.who])


# ---- the faults ----


# What a program turns to, once the file is there.
TURNS = {"refuses", "silent", "garbage", "closes"}
SILENT = {"STOP", "silent", "garbage", "refuses"}
FAILING = r"connections failed, so that|nothing moved for|no connection succeeded for"
SILENCE = FAILING + "|didn't exit when told to"


def live_cells():
    for who in ("server", "client", "program"):
        for phase in PHASES:
            # A leak that was found before stands.
            broken = (1, 4) if phase == "hold" else (4,)
            good = (1,) if phase == "hold" else (0, 3)
            for what, says in BY_SIGNAL.items():
                yield Cell(who, what, phase, broken, says)
            # Nobody asks a program of others for anything in the drain, so that its silence changes nothing.
            asked = broken if (who, phase) != ("program", "drain") else (0, 3, 4)
            yield Cell(who, "STOP", phase, asked, SILENCE)
            for what in ("STOP 1 s", "STOP 30 s"):
                yield Cell(who, what, phase, good, long=what == "STOP 30 s")
            if phase in ("measuring", "drain"):
                yield Cell(who, "no more memory", phase, (0, 3, 4))
    for phase in PHASES:
        for what in sorted(TURNS):
            # In the hold nothing grows yet that would be a leak; in the drain nobody connects any more.
            if phase != "hold":
                yield Cell("program", what, phase, (0, 3) if phase == "drain" else (4,),
                           "" if phase == "drain" else FAILING)


def befall(run, cell, flag, go):
    """Does it when the run is in the phase."""
    if not run.reached(PHASES[cell.phase]):
        raise Failed(f"it ended before it was {PHASES[cell.phase]}")
    if cell.phase == "drain":
        until(lambda: run.find("sh", str(go)) or run.ended(), "the command")
    seen = run.checkpoints()
    if cell.what in TURNS:
        flag.touch()
    else:
        pid = victim(run, cell)
        if not pid:
            raise Failed("there is nobody to do it to")
        DONE_TO[cell.what](pid, run)
    go.touch()
    if cell.what in ("STOP 1 s", "STOP 30 s") and cell.phase in ("warm-up", "measuring"):
        run.process.send_signal(signal.SIGINT)  # it would go on for long
    return seen


def play_live(cell):
    with tempfile.TemporaryDirectory(prefix="soak-cell-") as folder:
        flag, go = Path(folder) / "turn", Path(folder) / "go"
        with Observed(*words_of(cell, flag, go)) as run:
            return look(run, cell, befall(run, cell, flag, go))


# ---- what never gets so far ----


def copied_programs(folder):
    """soak in a folder of its own, with what it starts."""
    for name in ("soak", *BUILTIN.values()):
        os.link(BIN / name, folder / name) if os.stat(BIN).st_dev == os.stat(folder).st_dev else \
            (folder / name).write_bytes((BIN / name).read_bytes())
        (folder / name).chmod(0o755)
    return folder / "soak"


def replace(path, content, mode):
    path.unlink()
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)


# What becomes of the file of a program that soak starts.
EXECS = {
    "program missing": lambda path: path.unlink(),
    "program not executable": lambda path: replace(path, "", 0o644),
    "program of another machine": lambda path: replace(path, "\x7fELFnonsense", 0o755),
    "program that ends at once": lambda path: replace(path, "#!/bin/sh\nexit 5\n", 0o755),
    "program that says nothing": lambda path: replace(path, "#!/bin/sh\nexec sleep 600\n", 0o755),
}
# And of the one that speaks to soak.
SPEAKS = {
    "program that says one long line": lambda path: replace(
        path, "#!/bin/sh\nhead -c 5000 /dev/zero | tr '\\0' x >&3\nexec sleep 600\n", 0o755),
    "program that sends zeros": lambda path: replace(
        path, "#!/bin/sh\nhead -c 5 /dev/zero >&3\nexec sleep 600\n", 0o755),
    "program that is ready again and again": lambda path: replace(
        path, "#!/bin/sh\nwhile sleep 0.1; do echo ready port=1 >&3; done\n", 0o755),
}


def play_exec(cell):
    with tempfile.TemporaryDirectory(prefix="soak-programs-") as name:
        folder, words = Path(name), ()
        soak, path = copied_programs(folder), folder / BUILTIN.get(cell.who, "served")
        if cell.who == "program":
            soak = None
            path.touch()
            words = ("--server", f"{path} {{address}} {{cert}} {{key}}", "--ready-timeout", IN_VAIN)
        {**EXECS, **SPEAKS}[cell.what](path)
        with Observed("run", "default", *COMMON, "--churn", "max", "--closed", 300, *words, program=soak) as run:
            return look(run, cell, 0)


def play_port_taken(cell):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        words = ("--listen", where) if cell.who == "server" else \
            ("--server", peer("serves", "/nonexistent"), "--connect", where)
        with Observed("run", "default", *COMMON, "--churn", "max", "--closed", 300, *words) as run:
            return look(run, cell, 0)


def play_port_late(cell):
    with tempfile.TemporaryDirectory(prefix="soak-late-") as folder:
        flag = Path(folder) / "now"
        words = ("--server", peer("late", flag), "--ready-timeout", "10m")
        with Observed("run", "default", *COMMON, *PATIENT, "--churn", "max", "--closed", 300, *words) as run:
            until(lambda: any("not yet" in p.read_text(encoding="utf-8")
                              for p in run.results.glob("*/server.log")) or run.ended(), "its log")
            flag.touch()
            return look(run, cell, 1)


def play_leak(cell):
    """It leaks until the limit ends it, or its work."""
    how = ("--server", peer("leaks", "/nonexistent")) if cell.who == "program" else \
        ("--defect", "ssl-retained")
    with Observed("run", "default", *COMMON, "--churn", "max", "--closed", 1000000, "--keep-going",
                  *how) as run:
        if not run.reached(PHASES["measuring"]):
            raise Failed("it ended before it was measuring")
        pid = victim(run, cell)
        size = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (size + (24 << 20), size + (24 << 20)))
        return look(run, cell, run.checkpoints())


def play_full_log(cell):
    """The results' disk has 1,500 KB, and the program prints eight megabytes."""
    if not may(UNSHARE):
        raise Failed("SKIP: unshare(1) may not make a mount namespace here")
    programs = ROOT / "tests/integration/foreign_programs.py"
    line = f"{sys.executable} {programs} prints_megabytes {{address}} {{cert}} {{key}}"
    with Observed("run", "default", *COMMON, *PATIENT, "--churn", "max", "--closed", 300, "--server", line,
                  under=[*UNSHARE, "sh", "-c", DISK.format("size=800k"), "sh"]) as run:
        return look(run, cell, 0)


def play_group(cell):
    """It leaks until the kernel ends it, as the group of the run has no more memory."""
    group = memory_group()
    if not group:
        raise Failed("SKIP: no control group with a memory limit can be made here")
    enter = f"echo $$ >{group.folder}/cgroup.procs && exec \"$@\""
    how = ("--server", peer("leaks", "/nonexistent")) if cell.who == "program" else ("--defect", "ssl-retained")
    try:
        with Observed("run", "default", *COMMON, "--churn", "max", "--closed", 1000000, "--keep-going", *how,
                      under=["sh", "-c", enter, "sh"]) as run:
            if not run.reached(PHASES["measuring"]):
                raise Failed("it ended before it was measuring")
            group.limit(group.used() + (32 << 20))
            return look(run, cell, run.checkpoints())
    finally:
        group.remove()


def other_cells():
    for what in (*EXECS, *SPEAKS):
        for who in BUILTIN:
            yield Cell(who, what, ANY_TIME, (4,), who)
    for what in EXECS:
        yield Cell("program", what, ANY_TIME, (2, 4), "server")
    yield Cell("server", "port taken", ANY_TIME, (2,), r"port \d+ on 127.0.0.1 is in use")
    yield Cell("program", "port taken", ANY_TIME, (2,), "something listens there already")
    yield Cell("program", "port late", ANY_TIME, (0, 3))
    yield Cell("program", "fills its log's disk", ANY_TIME, (4,), "the disk is full")
    yield Cell("server", "leaks to its RLIMIT_AS", "measuring", (1, 4))
    yield Cell("program", "leaks to its RLIMIT_AS", "measuring", (1, 4))
    yield Cell("server", "leaks to its cgroup's limit", "measuring", (1, 4), "OOM killer")
    yield Cell("program", "leaks to its cgroup's limit", "measuring", (1, 4), "OOM killer")


def player(cell):
    if cell.who in FOREIGN and not soak_run.HAS_PROBE:
        raise Failed(f"SKIP: {soak_run.NO_PROBE}")
    for others in (agent_cells, nginx_cells):
        if cell in others.cells():
            return others.play
    if cell.what in EXECS or cell.what in SPEAKS:
        return play_exec
    return {"port taken": play_port_taken, "port late": play_port_late, "fills its log's disk": play_full_log,
            "leaks to its RLIMIT_AS": play_leak, "leaks to its cgroup's limit": play_group}.get(cell.what, play_live)


def play(cell):
    """(cell, Outcome or None, what is wrong)."""
    try:
        return cell, player(cell)(cell), None
    except (Failed, AssertionError, OSError, ValueError) as e:
        return cell, None, f"{type(e).__name__}: {e}"


# ---- the command ----


def cells(only=(), long=False):
    every = [*live_cells(), *other_cells(), *agent_cells.cells(), *nginx_cells.cells()]
    return [c for c in every if (long or not c.long) and
            (not only or any(all(word in c.name.split() or word in c.name for word in o.split()) for o in only))]


def plain(reason):
    """Without what is another each time."""
    reason = re.sub(r"; its log: .*", "", reason)
    reason = re.sub(r"/\S*/", "…/", reason)
    return re.sub(r"\d[\d,]*(?= (?:connections|failed|of))", "N", reason)


def table(done):
    """Markdown: a row for each who and what, a column for each phase, and the sentences below."""
    columns = [ANY_TIME, *PHASES]
    rows = {}
    for cell, outcome, _ in done:
        rows.setdefault((cell.who, cell.what), {})[cell.phase] = \
            f"{outcome.verdict}, {outcome.code}" if outcome else "**WRONG**"
    yield "| who | what | " + " | ".join(columns) + " |"
    yield "|" + "---|" * (len(columns) + 2)
    for (who, what), by in rows.items():
        yield f"| {who} | {what} | " + " | ".join(by.get(c, "") for c in columns) + " |"


def sentences(done):
    said = {}
    for cell, outcome, _ in done:
        if outcome and outcome.reason:
            said.setdefault((cell.who, cell.what), plain(outcome.reason))
    for (who, what), reason in said.items():
        yield f"- {who}, {what}: {reason}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    chosen, done = cells(asked.only, asked.long), []
    with concurrent.futures.ProcessPoolExecutor(asked.jobs) as pool:
        for ready in concurrent.futures.as_completed([pool.submit(play, cell) for cell in chosen]):
            cell, outcome, wrong = ready.result()
            done.append((cell, outcome, wrong))
            print(f"{'ok   ' if outcome else 'WRONG'} {cell.name}: "
                  f"{f'{outcome.verdict}, exit {outcome.code}; {plain(outcome.reason)}' if outcome else wrong}",
                  flush=True)
    done.sort(key=lambda one: chosen.index(one[0]))
    survived = sum(outcome is not None for _, outcome, _ in done)
    longest = max((outcome.left_s for _, outcome, _ in done if outcome), default=0)
    summary = f"{len(done)} faults injected, {survived} survived; all gone within {longest:.2f} s of the end"
    print(summary)
    if asked.write:
        book.put("matrix", [*table(done), "", "The sentences:", "", *sentences(done)], summary)
    return survived != len(done)


if __name__ == "__main__":
    sys.exit(main())
