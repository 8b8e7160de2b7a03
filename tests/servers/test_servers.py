# SPDX-License-Identifier: Apache-2.0
"""Servers that others have written: each scenario of scenarios/servers passes, and a leak that is planted
in the server is found, with its rate, its place and its kind.

test_servers.py NAME... tests the scenarios of these names."""

import os
import re
import shutil
import sys
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "integration"))
import soak_run

SCENARIOS = Path(soak_run.ROOT, "scenarios", "servers")
PLANTER = os.path.abspath(os.path.join(soak_run.BIN, "libsoak-planter.so"))
PLANTED_BYTES = 48  # of tests/servers/planter.c
CLOSED = "5000"  # shows a block lost in one of 200 connections
# The more threads share them, and the less evenly (a processor that is busy elsewhere), the more must lose one
# for the same thread to lose a second.
SHOWN = {"apache": 40, "python-threads": 40, "stunnel": 40}
# An ordinary user's: it doesn't lead to where Debian has its servers, and soak finds them all the same.
os.environ["PATH"] = ":".join(["/usr/bin"] + [folder for folder in os.environ["PATH"].split(":")
                                              if not folder.endswith("sbin")])

# Included ones have what they need from another file.
NEEDS = re.compile(r"(?m)^(?:include = (?P<include>.*)|needs += (?P<needs>.*))$")
NAMES = [path.stem for path in sorted(SCENARIOS.glob("*.soak"))]


def needed(path):
    """The program without which the scenario is skipped."""
    for found in NEEDS.finditer(path.read_text(encoding="utf-8")):
        return found["needs"] or needed(path.parent / found["include"])
    raise AssertionError(f"{path}: needs = PROGRAM, in [suite], is missing")


class Server(soak_run.SoakTest):
    """Of one scenario, `name`."""
    name = None

    def setUp(self):
        super().setUp()
        program = needed(SCENARIOS / f"{self.name}.soak")
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin"):
            self.skipTest(f"{program} is not installed")

    def shown(self):
        """One block lost in so many connections surely shows."""
        return SHOWN.get(self.name, 200)

    def churn(self, *options, plant=None):
        if plant:
            options += (*soak_run.RESUMED, "--env", f"LD_PRELOAD={PLANTER}", "--env", f"PLANT={plant}")
        return self.soak("run", str(SCENARIOS / f"{self.name}.soak"), "--seed", "7f3a", *options)

    def planted(self, run, file):
        """The place where blocks are lost: one of a leak of theirs, found by a meter that was checked."""
        subject = run.subject()
        self.assertEqual((run.exit, subject["verdict"], subject["kind"]), (1, "LEAK", "side-allocation-lost"),
                         run.explain())
        self.assertIs(subject["selfcheck"]["ok"], True, run.explain())
        site = next((s for s in subject["sites"] if s["file"] == file and s["verdict"] == "LEAK"), None)
        self.assertIsNotNone(site, run.explain())
        self.assertEqual(site["kind"], "side-allocation-lost", run.explain())
        return site

    def assert_planted(self, run, one_in):
        site = self.planted(run, "planted.c")
        self.assertEqual(site["line"], 1, run.explain())
        self.assertEqual(site["bytes"], PLANTED_BYTES * site["blocks"])
        self.assertAlmostEqual(site["per_conn_blocks"] * one_in, 1, delta=0.2, msg=run.explain())

    def test_as_it_is_it_passes(self):
        run = self.churn("--closed", CLOSED)
        self.assertEqual(run.exit, 0, run.explain())
        self.assertEqual(run.subject()["verdict"], "PASS", run.explain())
        self.assertGreaterEqual(run.result["sensitivity"]["one_in"], self.shown(), run.explain())
        self.assertIs(run.subject()["selfcheck"]["ok"], True, run.explain())

    def test_it_is_no_leak_in_a_short_run_either(self):
        run = self.churn("--closed", "500")
        self.assertIn(run.result["verdict"], ("PASS", "INCONCLUSIVE"), run.explain())

    def test_it_serves_from_a_folder_with_a_blank_in_its_name(self):
        self.addCleanup(shutil.rmtree, self.results, ignore_errors=True)
        self.results = os.path.join(self.results, "a folder")
        run = self.churn("--closed", "200")
        self.assertIsNone(run.result["broken"], run.explain())
        self.assertGreaterEqual(run.result["run"]["closed"], 200, run.explain())

    def test_a_block_lost_with_one_connection_of_many_is_found(self):
        one_in = self.shown() // 2
        self.assert_planted(self.churn("--closed", CLOSED, plant=f"openssl:{one_in}"), one_in)

    def test_blocks_of_openssls_and_of_the_programs_own_malloc_are_found_with_each_connection(self):
        run = self.churn("--closed", CLOSED, "--malloc-hooks", plant="both:1")
        self.assert_planted(run, 1)
        self.planted(run, "malloc")
        self.assertIn("planted_by_malloc", run.out)


class Reloaded(Server):
    """The same of reloads, where the block is lost as the program forks a worker for each. nginx waits for a
    tenth of a second within a reload."""

    def churn(self, *options, plant=None):
        return super().churn("--closed", "24", "--settle", "150ms", *options[2:],
                             plant=plant and f"{plant.split(':')[0]}:1:fork")

    def test_as_it_is_it_passes(self):
        run = self.churn("--closed", CLOSED)
        self.assertEqual(run.exit, 0, run.explain())
        self.assertEqual(run.result["run"]["errors"]["total"], 0, run.explain())
        self.assertIs(run.subject()["selfcheck"]["ok"], True, run.explain())

    test_it_is_no_leak_in_a_short_run_either = None
    test_it_serves_from_a_folder_with_a_blank_in_its_name = None
    test_a_block_lost_with_one_connection_of_many_is_found = None


def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(
        loader.loadTestsFromTestCase(type(name, (Reloaded if name.endswith("-reload") else Server,), {"name": name}))
        for name in ASKED)


if __name__ == "__main__":
    ASKED = [name for name in sys.argv[1:] if name in NAMES] or NAMES
    unittest.main(argv=[word for word in sys.argv if word not in NAMES])
