# SPDX-License-Identifier: Apache-2.0
"""One soak from its start to what it leaves: its phases as it says them, its end, and whoever or
whatever outlives it. All that it starts stays below this process, whatever session it makes."""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests/integration"))
# pylint: disable=wrong-import-position
import soak_run
from patience import PATIENCE_S, until
from processes import all_children_of

BIN = Path(soak_run.BIN)
PR_SET_CHILD_SUBREAPER = 36
TEMPORARY = re.compile(r"^\.|\.tmp$")


# What may make namespaces. The file system is gone with the last process of its namespace: what is on it is copied.
UNSHARE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
DISK = 'for last; do :; done; mkdir -p "$last" && mount -t tmpfs -o {} none "$last" && "$@"; ' \
       'code=$?; cp -r "$last" "$last.kept"; exit $code'


def may(enter):
    """Whether it makes such namespaces here."""
    return not enter or subprocess.run([*enter, "true"], capture_output=True, check=False).returncode == 0


def why_skipped(wrong):
    """What keeps a machine from trying a fault, where that is what is wrong."""
    start = "Failed: SKIP: "
    return wrong[len(start):] if wrong and wrong.startswith(start) else ""


def adopt():
    """What loses its parent becomes a child of this process."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def below(pid):
    """{pid: name} of all that runs below."""
    found = {}
    for child, name in all_children_of(pid):
        found[child] = name
        found.update(below(child))
    return found


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


class Observed:
    """`words` behind `soak`; `results`: it takes --results."""

    def __init__(self, *words, program=None, env=None, results=True, under=()):
        adopt()
        self.folder = Path(tempfile.mkdtemp(prefix="soak-fault-"))
        self.results = self.folder / "results"
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.shared = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
        self.before = set(below(os.getpid()))
        self.words = [str(program or BIN / "soak"), *map(str, words)]
        if results:
            self.words += ["--results", str(self.results)]
        # Both as files: whoever waits for one pipe may leave the other full.
        self.out_path, self.err_path = self.folder / "out", self.folder / "err"
        environment = dict(os.environ, TMPDIR=str(self.temporary), SOAK_HISTORY="", SOAK_ROOT=str(ROOT))
        environment |= soak_run.sanitizers_told(soak_run.UNCAUGHT)
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen([*under, *self.words], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err, env=dict(environment, **(env or {})),
                                            cwd=self.folder, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.alive():
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        self.process.wait()
        until(lambda: not self.alive(), "all to end")
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- while it runs ----

    @property
    def err(self):
        return self.err_path.read_text(encoding="utf-8", errors="replace")

    @property
    def out(self):
        return self.out_path.read_text(encoding="utf-8", errors="replace")

    def ended(self):
        return self.process.poll() is not None

    def reached(self, text):
        """Waits until its messages have the text. Whether it came before the end."""
        until(lambda: text in self.err or self.ended(), f"'{text}'")
        return text in self.err

    def alive(self):
        """{pid: name} of soak and all below, or left by it."""
        if self.ended():
            reap()
        return {pid: name for pid, name in below(os.getpid()).items() if pid not in self.before}

    def find(self, name, words=""):
        """The first process of that name whose command line has the words; None: there is none."""
        for pid, is_named in sorted(self.alive().items()):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if is_named == name and words in line:
                return pid
        return None

    def wait(self):
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired as e:
            raise AssertionError(f"it hangs: {' '.join(self.words)}\n{self.err}") from e
        kept = self.folder / "results.kept"
        self.results = kept if kept.exists() else self.results
        return code

    # ---- what it left ----

    def settle(self):
        """Seconds after its end until nothing of it runs; None: something goes on running."""
        began = time.monotonic()
        try:
            until(lambda: not self.alive(), "all to end")
        except AssertionError:
            return None
        return time.monotonic() - began

    def run(self):
        """The newest run's folder."""
        runs = sorted(p.parent for p in self.results.glob("**/samples.jsonl"))
        return runs[-1] if runs else None

    def document(self):
        folder = self.run()
        path = folder / "result.json" if folder else None
        return json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else None

    def lines(self):
        """Of its samples: every one but a torn last one must be whole."""
        folder = self.run()
        lines = (folder / "samples.jsonl").read_text(encoding="utf-8").split("\n") if folder else []
        return [json.loads(line) for line in lines[:-1]]

    def checkpoints(self):
        return sum(line["kind"] == "checkpoint" for line in self.lines())

    def litter(self):
        """What it should have taken away: temporary files, private keys, shared memory."""
        found = [str(p) for p in self.temporary.glob("**/*")]
        for path in self.results.glob("**/*"):
            if TEMPORARY.search(path.name):
                found.append(str(path))
            elif path.is_file() and b"PRIVATE KEY" in path.read_bytes()[:65536]:
                found.append(f"{path}: a private key")
        shared = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
        return found + [f"/dev/shm/{name}" for name in shared - self.shared if "soak" in name]

    def report(self):
        """What `soak report` says of the newest run: exit code, words."""
        done = subprocess.run([str(BIN / "soak"), "report", str(self.run())], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout + done.stderr
