# SPDX-License-Identifier: Apache-2.0
"""packaging/slurm on a real cluster: slurmctld and slurmd on this machine, with four tasks: a suite as a job array, and a
run whose load comes from agents."""

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
SCRIPTS = SOURCE / "packaging/slurm"
TASKS = 4
LOAD = "[load]\nconns = 2\nchurn = max\nclosed = 640\n"
SKIPPED = unittest.skipIf(slurm_cluster.missing(), "no Slurm (packages slurmctld, slurmd and slurm-client)")
LEAKS = "[server]\ndefect = lost-state\n"


class OnACluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-slurm-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.cluster = slurm_cluster.Cluster(cls.folder, TASKS)
        cls.addClassCleanup(cls.cluster.close)

    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.results = self.here / "results"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("SLURM_", "SBATCH_"))}
        self.environment |= self.cluster.environment | {
            "SOAK": str(BUILD / "bin/soak"), "SOAK_ROOT": str(SOURCE), "RESULTS": str(self.results),
            "SOAK_HISTORY": str(self.here / "history.db")}

    def script(self, name, *words, code=0):
        process = subprocess.run([SCRIPTS / name, *words], cwd=self.here, env=self.environment, capture_output=True,
                                 text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr + self.cluster.logs())
        return process.stdout + process.stderr

    def refuses(self, name, cases):
        for words, said in cases:
            self.assertIn(said, self.script(name, *words, code=2))


@SKIPPED
class Suite(OnACluster):
    def setUp(self):
        super().setUp()
        (self.here / "s").mkdir()

    def write(self, name, text):
        (self.here / "s" / f"{name}.soak").write_text(text, encoding="utf-8")

    def suite(self, *words, code=0):
        return self.script("suite.sh", *words, code=code)

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
        self.refuses("suite.sh", (((), "SHARDS and SCENARIOS are needed"), (("4",), "SHARDS and SCENARIOS are needed"),
                                  (("0", "s"), "'0' is not a number of shards"), (("x", "s"), "'x' is not a number"),
                                  (("2", "s"), "results exists; RESULTS=FOLDER names another")))


@SKIPPED
class Run(OnACluster):
    """All on one node: NODES=1."""

    def setUp(self):
        super().setUp()
        self.environment |= {"NODES": "1", "PORT": str(slurm_cluster.free_ports(1)[0])}
        self.environment.pop("SOAK_JOIN_TOKEN", None)

    def test_four_agents_make_the_load_and_the_leak_is_found(self):
        said = self.script("run.sh", str(TASKS), "--listen", "ADDRESS:0", "--conns", "20", "--churn", "max", "--defect", "lost-state", code=1)
        self.assertIn("LEAK  32 B lost per connection", said)
        self.assertIn("4 of 4 joined", said)
        document = json.loads((self.results / "last/result.json").read_text(encoding="utf-8"))
        self.assertEqual(document["verdict"], "LEAK")
        agents = [path.read_text(encoding="utf-8") for path in self.results.glob("agents-*.log")]
        self.assertEqual(sorted(line for text in agents for line in text.splitlines() if "joined as" in line),
                         [f"soak: agent: joined as agent {number}" for number in range(1, TASKS + 1)])

    def test_it_refuses_what_it_does_not_know(self):
        self.results.mkdir()
        self.refuses("run.sh", (((), "'' is not a number of agents"), (("0",), "'0' is not a number of agents"),
                                (("2",), "results exists; RESULTS=FOLDER names another")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
