# SPDX-License-Identifier: Apache-2.0
"""A few calls of each kind fail; `python3 tests/faults/resources.py` goes through many more."""

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import resources
from observed import Observed, why_skipped
from resources import Fault

FEW = ("soak: memory", "soak: open", "soak: write ENOSPC", "soak: fork", "soak-server: memory",
       "soak: clock -3600 1", "soak-server: clock +3600", "soak-client: clock -3600", "machine: suspended for 2 s",
       "machine: no /dev/shm")


@unittest.skipUnless(resources.FAIL_NTH.exists(), "a build with sanitizers has nothing that makes calls fail")
class Refusals(unittest.TestCase):
    def test_a_few_of_each_are_as_they_should_be(self):
        _, chosen = resources.chosen(FEW, 4, 2)
        self.assertGreater(len(chosen), 20)
        for fault in chosen[::2]:
            with self.subTest(fault.name):
                _, code, wrong = resources.play(fault)
                if why := why_skipped(wrong):
                    self.skipTest(why)
                self.assertIsNotNone(code, wrong)

    def test_a_fault_that_cannot_be_tried_here_is_skipped(self):
        faults = [Fault("machine", "no /dev/shm", how="shell")] * 21
        with mock.patch.object(resources, "chosen", return_value=(None, faults)), \
                mock.patch.object(resources, "may", return_value=False):
            result = Refusals("test_a_few_of_each_are_as_they_should_be").run()
        self.assertEqual({why for _, why in result.skipped}, {"unshare(1) may not make such a namespace here"}, result)

    def test_a_run_needs_no_smaps(self):
        """What smaps_rollup sums is summed here, where only that is missing."""
        for what, told in (("smaps_rollup", True), ("/smaps", False)):
            with self.subTest(what), tempfile.TemporaryDirectory() as folder:
                fault = Fault("soak", f"no {what}", how="path")
                run, by = resources.start(fault, Path(folder))
                with run:
                    self.assertEqual(resources.look(run, fault), 0, run.err)
                    self.assertGreater(by.counts()[1], 0)
                    sums = [line["server"].get("rollup") for line in run.lines() if line["kind"] == "checkpoint"]
                    self.assertEqual({bool(one and one["pss"] and one["private_dirty"]) for one in sums}, {told})

    def test_no_event_loop_is_a_sentence(self):
        """From each descriptor on that is opened until the first of them is there."""
        calls = resources.count("soak")["open"]
        said = []
        for nth in range(1, min(calls, 20)):
            with tempfile.TemporaryDirectory() as folder:
                fault = Fault("soak", "open EMFILE on", nth)
                run, _ = resources.start(fault, Path(folder))
                with run:
                    resources.look(run, fault)
                    said.append(run.err)
        self.assertIn("can't start an event loop: too many open files; raise the limit with 'ulimit -n'", "".join(said))

    def test_no_memory_is_a_sentence_and_no_crash(self):
        """The second allocation of all."""
        _, code, wrong = resources.play(Fault("soak", "memory ENOMEM", 2))
        self.assertEqual((code, wrong), (4, None))

    def test_a_call_that_is_to_fail_does(self):
        with tempfile.TemporaryDirectory() as folder:
            run, by = resources.start(Fault("soak", "write ENOSPC", 1), Path(folder))
            with run:
                run.wait()
                self.assertEqual(by.counts()[1], 1)
                self.assertIn("disk is full", run.err)

    def test_a_wrong_verdict_is_seen(self):
        fault = Fault("machine", "one core", leaks=True, how="shell")
        with Observed(*resources.RUN) as run:
            with self.assertRaisesRegex(resources.Failed, "a wrong verdict"):
                resources.look(run, fault)
            self.assertEqual(json.loads((run.run() / "result.json").read_text(encoding="utf-8"))["verdict"], "PASS")


if __name__ == "__main__":
    unittest.main(verbosity=2)
