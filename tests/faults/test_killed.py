# SPDX-License-Identifier: Apache-2.0
"""soak is killed at a few moments; `python3 tests/faults/killed.py` does it 200 times."""

import json
import os
import signal
import tempfile
import unittest
from pathlib import Path

import jsonschema

import killed
from matrix import PHASES, peer
from observed import ROOT, Observed, soak_run, until


class Moments(unittest.TestCase):
    def kill_at(self, phase, *words):
        """The run, killed when it had so many checkpoints in the phase."""
        run = Observed("run", "default", "--conns", 20, "--churn", "300/s", "--closed", 100000, *words)
        self.addCleanup(run.__exit__)
        self.assertTrue(run.reached(PHASES[phase]), run.err)
        seen = until(run.checkpoints, "a checkpoint")
        until(lambda: run.checkpoints() > seen, "another checkpoint")
        run.process.kill()
        run.wait()
        self.assertIsNotNone(run.settle(), run.alive())
        self.assertEqual(run.litter(), [])
        return run

    def test_what_was_measured_opens(self):
        run = self.kill_at("measuring")
        code, said = run.report()
        self.assertEqual(code, 0, said)
        self.assertRegex(" ".join(said.split()), r"^INVALID the run broke: soak itself was ended, and the run with it, "
                                                 r"some time after [\d,]+ connections; until then OpenSSL blocks ")
        self.assertFalse((run.run() / "result.json").exists())
        schema = json.loads((ROOT / "results/schema/soak-1.schema.json").read_text(encoding="utf-8"))
        jsonschema.validate(json.loads((run.run() / "unfinished.json").read_text(encoding="utf-8")), schema)

    def test_within_an_epoch_the_result_is_the_checkpoints_and_the_samples_go_on(self):
        run = Observed("run", "default", "--conns", 20, "--churn", "100/s", "--closed", 100000)
        self.addCleanup(run.__exit__)

        def after_the_last_checkpoint():
            kinds = [line["kind"] for line in run.lines()]
            return kinds[::-1].index("checkpoint") if "checkpoint" in kinds else 0
        until(lambda: after_the_last_checkpoint() >= 2, "two samples within an epoch")
        run.process.kill()
        run.wait()
        self.assertIsNotNone(run.settle(), run.alive())
        text = (run.run() / "samples.jsonl").read_text(encoding="utf-8")
        self.assertTrue(text.endswith("\n"), text[-200:])
        lines = [json.loads(line) for line in text.splitlines()]
        kept = json.loads((run.run() / "unfinished.json").read_text(encoding="utf-8"))
        points = [line for line in lines if line["kind"] == "checkpoint"]
        self.assertGreaterEqual(lines[::-1].index(points[-1]), 2)
        self.assertEqual((kept["run"]["epochs"], kept["run"]["closed"]),
                         (len(points), points[-1]["server"]["connections"]["closed"]))

    def test_a_leak_that_was_judged_stands(self):
        run = self.kill_at("hold", "--defect", "lost-state", "--keep-going", "--churn", "max")
        code, said = run.report()
        self.assertEqual((code, said.split()[0]), (0, "LEAK"), said)

    @unittest.skipUnless(soak_run.HAS_PROBE, soak_run.NO_PROBE)
    def test_the_keys_of_a_program_under_test_go(self):
        run = Observed("run", "default", "--conns", 20, "--churn", "max", "--closed", 100000, "--server",
                       peer("serves", "/nonexistent"))
        self.addCleanup(run.__exit__)
        self.assertTrue(run.reached(PHASES["measuring"]), run.err)
        keys = [path for path in run.results.glob("*/work/*.key") if "last" not in path.parts]
        self.assertEqual(len(keys), 1)
        run.process.kill()
        run.wait()
        self.assertIsNotNone(run.settle(), run.alive())
        self.assertEqual(run.litter(), [])
        self.assertFalse(keys[0].exists())

    def test_the_folder_of_a_selftest_goes(self):
        run = Observed("selftest", "--quick", results=False)
        self.addCleanup(run.__exit__)

        def runs():
            return [path for path in run.temporary.glob("soak-selftest-*/*") if path.name != ".running"]

        until(lambda: runs() or run.ended(), "its first run")
        self.assertTrue(runs())
        os.kill(run.process.pid, signal.SIGKILL)
        run.wait()
        self.assertIsNotNone(run.settle(), run.alive())
        self.assertEqual(run.litter(), [])

    def test_a_few_random_moments(self):
        with tempfile.TemporaryDirectory() as folder:
            finished = killed.finished_run(folder)
            self.assertTrue((Path(finished) / "result.json").exists())
            for number, command, after_s in killed.plan(4, 7, ["run", "suite", "compare", "report"]):
                with self.subTest(number, command=command, after_s=after_s):
                    self.assertIsNone(killed.attempt(number, command, after_s, finished)[-1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
