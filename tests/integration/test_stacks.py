# SPDX-License-Identifier: Apache-2.0
"""The call stacks of survivors: as many as the ledger counts at the guilty site, and of the right place."""

import gzip
import os
import pathlib
import shutil
import tempfile
import unittest
import xml.etree.ElementTree

import soak_run
import test_robust


class Ledger(soak_run.SoakTest):
    def assert_explained(self, run, subject):
        """Every survivor of the captured epochs is on a stack, at each of the captured sites."""
        capture = subject["capture"]
        self.assertEqual(capture["lost"], 0, run.explain())
        self.assertGreater(capture["taken"], 0, run.explain())
        for site in capture["sites"]:
            mine = [s for s in subject["stacks"] if (s["file"], s["line"]) == (site["file"], site["line"])]
            self.assertEqual(sum(s["blocks"] for s in mine), site["blocks"], run.explain())
            self.assertEqual(sum(s["bytes"] for s in mine), site["bytes"], run.explain())

    def assert_profiles_tell_the_same(self, run, subject):
        folder = pathlib.Path(run.folder)
        bytes_ = sum(stack["bytes"] for stack in subject["stacks"])
        folded = (folder / "survivors.folded").read_text(encoding="utf-8").splitlines()
        self.assertEqual(sum(int(line.rsplit(" ", 1)[1]) for line in folded), bytes_)
        self.assertTrue(all(line.startswith("server;") for line in folded), folded)
        self.assertIn(";lost_state_accept ", folded[0])
        drawn = xml.etree.ElementTree.parse(folder / "survivors.svg").getroot()
        self.assertIn("lost_state_accept", "".join(drawn.itertext()))
        raw = gzip.decompress((folder / "survivors.pb.gz").read_bytes())
        self.assertIn(b"lost_state_accept", raw)

    def test_a_lost_state_has_a_stack_for_each_survivor(self):
        run = self.soak(*soak_run.CHURN, *soak_run.RESUMED, "--defect", "lost-state", "--closed", "3000")
        self.assertEqual(run.exit, 1, run.explain())
        subject = run.subject()
        self.assert_explained(run, subject)
        guilty = subject["sites"][0]
        stack = subject["stacks"][0]
        self.assertEqual((stack["file"], stack["line"]), (guilty["file"], guilty["line"]))
        self.assertGreater(stack["blocks"], 100)
        self.assertGreater(subject["cost"]["cpu_us_per_conn"], 0)
        self.assertGreater(subject["capture"]["cpu_us_per_conn"], 0)
        self.assertEqual(stack["bytes"], 32 * stack["blocks"])
        self.assertGreaterEqual(len(stack["frames"]), 3)
        first = stack["frames"][0]
        self.assertEqual((first["function"], first["file"], first["sure"]),
                         ("lost_state_accept", "server/defect.c", True))
        self.assertIn("conn_accept", [f["function"] for f in stack["frames"]])
        self.assertIn("where    lost_state_accept  server/defect.c:", run.out)
        self.assert_profiles_tell_the_same(run, subject)
        self.assertEqual(run.subject("client")["stacks"], [])

    def test_four_threads_are_explained_too(self):
        run = self.soak(*soak_run.CHURN, *soak_run.RESUMED, "--defect", "lost-state", "--closed", "3000", "--workers", "4")
        self.assertEqual(run.exit, 1, run.explain())
        self.assert_explained(run, run.subject())
        self.assertGreater(sum(s["blocks"] for s in run.subject()["stacks"]), 100, run.explain())

    def test_the_sites_of_a_retained_object_are_taken_as_far_as_there_is_room(self):
        run = self.soak(*soak_run.CHURN, "--defect", "ssl-retained", "--closed", "3000")
        self.assertEqual(run.exit, 1, run.explain())
        subject = run.subject()
        self.assert_explained(run, subject)
        self.assertGreater(len(subject["capture"]["sites"]), 1, run.explain())
        blamed = (subject["sites"][0]["file"], subject["sites"][0]["line"])
        self.assertIn(blamed, [(s["file"], s["line"]) for s in subject["stacks"]], run.explain())

    def test_an_early_end_waits_for_stacks(self):
        run = self.soak("--conns", "30", "--churn", "500/s", "--seed", "7f3a", *soak_run.RESUMED,
                        "--defect", "lost-state")
        self.assertEqual(run.exit, 1, run.explain())
        self.assert_explained(run, run.subject())
        self.assertGreater(len(run.subject()["stacks"]), 0)

    def test_a_clean_run_takes_none(self):
        run = self.soak(*soak_run.CHURN, *soak_run.RESUMED, "--closed", "3000")
        self.assertEqual(run.exit, 0, run.explain())
        for subject in run.result["subjects"]:
            self.assertEqual(subject["stacks"], [])
            self.assertEqual(subject["capture"]["taken"], 0)
            self.assertEqual(subject["capture"]["cpu_us_per_conn"], 0)
            self.assertEqual(subject["capture"]["heap_connections"], 0)
        self.assertEqual(list(pathlib.Path(run.folder).glob("survivors.*")), [])


class Rebuilt(test_robust.Live):
    def command(self, *options):
        return [os.path.join(self.programs, "soak"), *options, "--results", self.results]

    def setUp(self):
        super().setUp()
        self.programs = tempfile.mkdtemp(prefix="soak-programs-")
        self.addCleanup(shutil.rmtree, self.programs)
        for name in ("soak", "soak-server", "soak-client", "soak-footprint"):
            shutil.copy2(os.path.join(soak_run.BIN, name), self.programs)

    def replace(self, name):
        """As a linker does: another file under the same name."""
        other = os.path.join(self.programs, name + ".new")
        shutil.copy2(os.path.join(soak_run.BIN, "make-certs"), other)
        os.replace(other, os.path.join(self.programs, name))

    def test_programs_that_are_rebuilt_during_a_run_keep_their_names(self):
        process = self.start(*soak_run.CHURN, *soak_run.RESUMED, "--defect", "lost-state", "--closed", "3000", "--keep-going")
        self.wait_checkpoints(1)
        for name in ("soak-server", "soak-client"):
            self.replace(name)
        run = self.finish(process)
        self.assertEqual(run.exit, 1, run.explain())
        frames = run.subject()["stacks"][0]["frames"]
        self.assertEqual((frames[0]["function"], frames[0]["file"]),
                         ("lost_state_accept", "server/defect.c"), run.explain())
        self.assertIn("conn_accept", [f["function"] for f in frames])


@unittest.skipUnless(soak_run.HAS_JEMALLOC, "jemalloc alone has profiles")
class Heap(soak_run.SoakTest):
    def test_growth_outside_openssl_has_its_stack_and_keeps_the_bound(self):
        run = self.soak(*soak_run.CHURN, *soak_run.RESUMED, "--defect", "outside", "--closed", "4000")
        self.assertEqual(run.exit, 1, run.explain())
        subject = run.subject()
        connections = subject["capture"]["heap_connections"]
        self.assertGreater(connections, 100, run.explain())
        stack = subject["stacks"][0]
        self.assertEqual((stack["source"], stack["file"]), ("heap", None))
        self.assertEqual(stack["blocks"], connections, run.explain())
        self.assertEqual(stack["bytes"], 48 * connections, run.explain())
        self.assertIn("outside_accept", [f["function"] for f in stack["frames"][:3]])
        self.assertLessEqual(run.result["run"]["closed"], 4000)
        # The heap's figure holds whatever else the process made once, such as libuv's larger array.
        self.assertAlmostEqual(subject["per_conn_bytes"], 48.0, delta=2.0, msg=run.explain())

    def test_a_jemalloc_without_profile_still_gives_the_verdict(self):
        run = self.soak(*soak_run.CHURN, *soak_run.RESUMED, "--defect", "outside", "--closed", "4000", "--env",
                        "MALLOC_CONF=prof:false")
        self.assertEqual(run.exit, 1, run.explain())
        self.assertEqual(run.subject()["kind"], "outside-openssl", run.explain())
        self.assertEqual(run.subject()["stacks"], [])


if __name__ == "__main__":
    unittest.main()
