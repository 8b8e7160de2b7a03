# SPDX-License-Identifier: Apache-2.0
"""A few cells of the matrix, one of each kind; `python3 tests/faults/matrix.py` runs them all."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import matrix
from observed import Observed, until, why_skipped


class Cells(unittest.TestCase):
    CHOSEN = ("server KILL measuring", "client SEGV hold", "program ABRT drain", "client STOP 1 s warm-up",
              "program garbage measuring", "server port taken", "program port late",
              "server program that says one long line", "agent KILL measuring", "agent's connection garbage hold",
              "nginx worker KILL drain", "server leaks to its cgroup's limit")

    def test_each_is_as_it_should_be(self):
        for chosen in self.CHOSEN:
            cell, = [c for c in matrix.cells() if c.name.startswith(chosen)]
            with self.subTest(cell.name):
                _, outcome, wrong = matrix.play(cell)
                if why := why_skipped(wrong):
                    self.skipTest(why)
                self.assertIsNotNone(outcome, wrong)


class Watching(unittest.TestCase):
    """What the cells are looked at with sees what it is there for."""

    def test_who_goes_on_running_is_seen(self):
        with tempfile.TemporaryDirectory() as folder:
            mark = Path(folder) / "started"
            stays = f"(setsid sleep 600 & touch {mark}) </dev/null >/dev/null 2>&1"
            with Observed("-c", stays, program="/bin/sh", results=False) as run:
                until(mark.exists, "it")
                run.wait()
                until(lambda: "sleep" in run.alive().values(), "it to become what it starts")
                self.assertIn("sleep", run.alive().values())

    def test_litter_is_seen(self):
        line = 'touch "$TMPDIR/soak-selftest-x"; mkdir results; echo "-----BEGIN PRIVATE KEY-----" >results/k'
        with Observed("-c", line, program="/bin/sh", results=False) as run:
            run.wait()
            self.assertEqual([Path(name).name for name in run.litter()], ["soak-selftest-x", "k: a private key"])

    def test_a_cell_that_isnt_as_it_should_be_is_wrong(self):
        cell = matrix.Cell("server", "port taken", matrix.ANY_TIME, (4,))
        self.assertIn("not one of (4,)", matrix.play(cell)[2])

    def test_a_cell_that_cannot_be_made_here_is_skipped(self):
        one = Cells("test_each_is_as_it_should_be")
        one.CHOSEN = ("server KILL measuring",)
        with mock.patch.object(matrix, "player", side_effect=matrix.Failed("SKIP: no nginx(8)")):
            result = one.run()
        self.assertEqual([why for _, why in result.skipped], ["no nginx(8)"], result)

    def test_nginx_is_found_where_debian_has_it(self):
        done = subprocess.run([sys.executable, "-c", "import os, nginx_cells; print(os.environ['PATH'])"], text=True,
                              env=dict(os.environ, PATH="/bin"), cwd=Path(__file__).parent, capture_output=True,
                              check=True)
        self.assertEqual(done.stdout, "/bin:/usr/sbin\n")

    def test_a_command_line_that_chooses_nothing(self):
        done = subprocess.run([sys.executable, matrix.__file__, "--only", "no such cell"], capture_output=True,
                              text=True, check=False)
        self.assertIn("0 faults injected", done.stdout, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
