# SPDX-License-Identifier: Apache-2.0
"""A leak is pinned on the behaviour that causes it, to the block and byte, and confirmed."""

import unittest

import soak_run


class When(soak_run.SoakTest):
    def leak(self, *options):
        run = self.soak(*soak_run.CHURN, *soak_run.RESUMED, *options)
        self.assertEqual(run.exit, 1, run.explain())
        subject = run.subject()
        return run, subject["when"], {b["name"]: b for b in subject["behaviours"]}

    def assert_pinned(self, name, size, *options):
        run, when, behaviours = self.leak(*options)
        self.assertEqual(when["outcome"], "apart", run.explain())
        self.assertEqual((when["exact"], when["residual_blocks"], when["residual_bytes"]),
                         (True, 0, 0), run.explain())
        self.assertEqual({n: (b["blocks"], b["bytes"]) for n, b in behaviours.items()},
                         {n: ((1, size) if n == name else (0, 0)) for n in behaviours})
        self.assertEqual({n: b["verdict"] for n, b in behaviours.items()},
                         {n: ("guilty" if n == name else "innocent") for n in behaviours})
        confirmed = when["confirmed"]
        self.assertIsNotNone(confirmed, run.explain())
        self.assertTrue(confirmed["agrees"], run.explain())
        alone, without = confirmed["alone"], confirmed["without"]
        self.assertEqual(alone["blocks"], alone["guilty"])
        self.assertGreater(alone["guilty"], alone["connections"] // 2)
        self.assertEqual((without["blocks"], without["guilty"]), (0, 0))
        self.assertGreaterEqual(without["connections"], 100)
        self.assertEqual(run.subject()["sites"][0]["when"], name)
        self.assertIn(f"{name}: {size} B per such connection", " ".join(run.out.split()))
        self.assertIn("confirmed: an epoch", " ".join(run.out.split()))

    def test_reset_path_is_pinned_on_reset(self):
        self.assert_pinned("reset", 64, "--defect", "reset-path", "--closed", "5000")

    def test_error_path_is_pinned_on_the_broken_handshakes(self):
        self.assert_pinned("mid-handshake", 48, "--defect", "error-path", "--closed", "5000")

    def test_lost_state_is_every_behaviour_alike(self):
        run, when, behaviours = self.leak("--defect", "lost-state", "--closed", "4000")
        self.assertEqual((when["outcome"], when["exact"]), ("alike", True), run.explain())
        self.assertEqual({(b["blocks"], b["bytes"]) for b in behaviours.values()}, {(1, 32)})
        self.assertIsNone(when["confirmed"])
        self.assertIn("with every peer alike: clean, reset", " ".join(run.out.split()))

    def test_a_fraction_has_its_error_and_is_said_not_to_be_whole(self):
        run, when, behaviours = self.leak("--defect", "reset-path:1/10", "--closed", "15000")
        self.assertFalse(when["exact"])
        reset = behaviours["reset"]
        self.assertEqual(reset["verdict"], "guilty", run.explain())
        self.assertLess(abs(reset["blocks"] - 0.1), 4 * reset["blocks_error"] + 0.001)
        self.assertIn("not whole", " ".join(run.out.split()))
        self.assertNotEqual(behaviours["clean"]["verdict"], "guilty", run.explain())

    def test_one_behaviour_has_nothing_to_solve(self):
        run, when, _ = self.leak("--defect", "lost-state", "--reset", "0", "--half-close", "0",
                                 "--mid-handshake", "0", "--closed", "3000")
        self.assertEqual(when["outcome"], "single", run.explain())
        self.assertIn("with every connection; all left alike: clean", run.out)

    def test_a_clean_run_says_its_sensitivity_for_each_behaviour(self):
        run = self.soak(*soak_run.CHURN, *soak_run.RESUMED, "--closed", "4000")
        self.assertEqual(run.exit, 0, run.explain())
        self.assertIsNone(run.subject()["when"])
        seen = {b["name"]: b["one_in"] for b in run.subject()["behaviours"]}
        self.assertGreater(seen["clean"], seen["reset"])
        self.assertGreater(seen["reset"], seen["mid-handshake"])
        self.assertGreater(seen["reset"], 1)
        self.assertRegex(" ".join(run.out.split()), r"of each: clean \d+, reset \d+")


if __name__ == "__main__":
    unittest.main(verbosity=2)
