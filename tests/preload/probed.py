# SPDX-License-Identifier: Apache-2.0
"""Runs a program with libsoakprobe.so and reads the page that it writes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "integration"))
from patience import PATIENCE_S as PATIENCE
from probe_page import PROCESSES, THREADS, page_make, page_threads

BIN = os.environ["SOAK_BIN"]
LIBRARY = BIN + "/libsoakprobe.so"
MALLOC_LIBRARY = BIN + "/libsoakprobe-malloc.so"
JEMALLOC = next(map(str, Path("/usr/lib").glob("*/libjemalloc.so.2")), "libjemalloc.so.2")
CASE = BIN + "/preload-case"
PYTHON = "/usr/bin/python3"
# A build that counts its own lines writes files when a process ends, whatever that process has given up.
COVERED = "\nSOAK_COVERAGE:BOOL=ON\n" in Path(os.environ["SOAK_BUILD"], "CMakeCache.txt").read_text(encoding="utf-8")

NONE, HOOKS, INTERPOSED, BORINGSSL, MALLOC_ALONE = range(5)  # enum page_mode
MALLOC, CHAINED, LATE, TWO_LIBCRYPTOS, NO_OPENSSL, ENDED, SHARES, APART = (1 << i for i in range(8))


def jemalloc():
    """Its path, or None."""
    text = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    return next((line.split()[-1] for line in text.splitlines() if "libjemalloc.so.2" in line), None)


class Probed:
    """A page and the programs that are started with it; `with` ends what still runs."""

    def __init__(self, preload=LIBRARY):
        self.preload = preload
        self.fd, self.page = page_make()
        self.children = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for child in self.children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)  # its children too
            child.communicate()
        os.close(self.fd)

    def where(self):
        file = os.fstat(self.fd)
        return f"fd={self.fd},ino={file.st_dev}:{file.st_ino},path=/proc/{os.getpid()}/fd/{self.fd}"

    def settings(self):
        return {"LD_PRELOAD": self.preload, "SOAK_PROBE": self.where()}

    def environment(self, **more):
        return dict(os.environ, **self.settings(), **more)

    def start(self, *command, **options):
        options.setdefault("env", self.environment())
        options.setdefault("pass_fds", (self.fd,))
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, start_new_session=True, **options)
        self.children.append(child)
        return child

    def run(self, *command, **options):
        """Until it ends: what it printed."""
        child = self.start(*command, **options)
        output, _ = child.communicate(timeout=PATIENCE)
        if child.returncode != 0:
            raise AssertionError(f"{command} ended with {child.returncode}: {output}")
        return output

    def processes(self):
        return [row for row in self.page.process if row.pid]

    def threads(self, pid=None):
        return page_threads(self.page, pid)

    def slots(self, pid, busy=None):
        """Those of a process, or those of them that a thread has at present (1) or had (0)."""
        return [s for s in self.page.slot if s.owner >> 1 == pid and busy in (None, s.owner & 1)]

    def total(self, counter, pid=None):
        """Of one process, or of all, those that have gone too."""
        return self.page.total(counter, pid)

    def site(self, file, line):
        for i in range(1, self.page.sites):
            site = self.page.site[i]
            if (site.file.decode().endswith(file), site.line) == (True, line):
                return i
        raise AssertionError(f"no site {file}:{line}")

    def live(self, file, line, epoch=0, pid=None):
        """(blocks, bytes) of a site, born in an epoch."""
        site = self.site(file, line)
        cells = [t.cell[epoch][site] for t in self.threads(pid)]
        return sum(c.blocks for c in cells), sum(c.bytes for c in cells)

    def blocks(self, pid=None):
        """Live blocks of all sites and the first epochs."""
        return sum(t.cell[epoch][site].blocks for t in self.threads(pid) for epoch in range(4)
                   for site in range(self.page.sites))

    def objects(self, name, pid=None):
        names = [c.name.decode() for c in self.page.class_]
        return sum(t.census[names.index(name)] for t in self.threads(pid))


class Case(Probed):
    """preload-case, which stops at each step until it is told to go on."""

    def begin(self, *arguments, **options):
        self.child = self.start(CASE, *arguments, **options)
        self.wait()
        return self

    def wait(self):
        line = self.child.stdout.readline()
        if line.split()[:1] != ["step"]:
            raise AssertionError(f"no step but {line!r}, exit {self.child.poll()}")
        self.said = line.split()[1:]

    def go(self):
        self.child.stdin.write("go\n")
        self.child.stdin.flush()

    def step(self):
        self.go()
        self.wait()

    def end(self):
        self.go()
        self.child.wait(PATIENCE)
        if self.child.returncode != 0:
            raise AssertionError(f"ended with {self.child.returncode}: {self.child.stdout.read()}")
