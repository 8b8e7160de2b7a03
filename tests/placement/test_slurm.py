# SPDX-License-Identifier: Apache-2.0
"""packaging/slurm on a real cluster: slurmctld and slurmd on this machine, with four tasks."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import slurm_cluster
from patience import PATIENCE_S

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SUITE = SOURCE / "packaging/slurm/suite.sh"
TASKS = 4
LOAD = "[load]\nconns = 2\nchurn = max\nclosed = 640\n"
LEAKS = "[server]\ndefect = lost-state\n"


@unittest.skipIf(slurm_cluster.missing(), "no Slurm (packages slurmctld, slurmd and slurm-client)")
class Suite(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-slurm-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.cluster = slurm_cluster.Cluster(cls.folder, TASKS)
        cls.addClassCleanup(cls.cluster.close)

    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (self.here / "s").mkdir()
        self.results = self.here / "results"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("SLURM_", "SBATCH_"))}
        self.environment |= self.cluster.environment | {
            "SOAK": str(BUILD / "bin/soak"), "SOAK_ROOT": str(SOURCE), "RESULTS": str(self.results),
            "SOAK_HISTORY": str(self.here / "history.db")}

    def write(self, name, text):
        (self.here / "s" / f"{name}.soak").write_text(text, encoding="utf-8")

    def suite(self, *words, code=0):
        process = subprocess.run([SUITE, *words], cwd=self.here, env=self.environment, capture_output=True, text=True,
                                 timeout=PATIENCE_S, check=False)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr + self.cluster.logs())
        return process.stdout + process.stderr

    def merged(self):
        return json.loads((self.results / "suite.json").read_text(encoding="utf-8"))

    def test_an_array_of_four_shards_is_joined(self):
        for name in ("a", "b", "d", "e"):
            self.write(name, LOAD)
        self.write("c", LOAD + LEAKS + "[suite]\nexpect = leak\n")
        self.assertIn("PASSED  all 5 scenarios are as expected", self.suite("4", "s", "--sensitivity", "1/1"))
        self.assertEqual([(one["name"], one["outcome"]) for one in self.merged()["scenarios"]],
                         [(name, "as expected") for name in "abcde"])
        self.assertTrue((self.results / "junit.xml").exists())
        for shard in range(1, TASKS + 1):
            self.assertEqual(len(list((self.results / f"shard-{shard}").glob(f"*-suite-{shard}-of-4"))), 1)

    def test_its_exit_code_is_that_of_all_and_a_lost_shard_is_no_success(self):
        self.write("a", LOAD)
        self.write("b", LOAD + LEAKS)
        self.suite("2", "s", "--sensitivity", "1/1", code=1)
        self.assertEqual([one["outcome"] for one in self.merged()["scenarios"]], ["as expected", "not as expected"])
        self.environment |= {"RESULTS": str(self.here / "lost"), "SOAK": str(self.here / "soak")}
        # A program that a node lacks at first: the second shard's.
        (self.here / "soak").write_text(
            f'#!/bin/sh\n[ "$1" = merge ] || [ "$SLURM_ARRAY_TASK_ID" != 2 ] || exit 9\nexec {BUILD}/bin/soak "$@"\n',
            encoding="ascii")
        (self.here / "soak").chmod(0o755)
        self.assertIn("missing: shard 2 of 2", self.suite("2", "s", "--sensitivity", "1/1", code=3))

    def test_what_a_shard_says_when_it_can_do_nothing_is_shown(self):
        self.write("a", "[load]\nchurm = max\n")
        self.assertIn("no such key 'churm'", self.suite("1", "s", code=2))

    def test_it_refuses_what_it_does_not_know(self):
        self.results.mkdir()
        for words, said in (((), "SHARDS and SCENARIOS are needed"), (("4",), "SHARDS and SCENARIOS are needed"),
                            (("0", "s"), "'0' is not a number of shards"), (("x", "s"), "'x' is not a number"),
                            (("2", "s"), "results exists; RESULTS=FOLDER names another")):
            self.assertIn(said, self.suite(*words, code=2))


if __name__ == "__main__":
    unittest.main(verbosity=2)
