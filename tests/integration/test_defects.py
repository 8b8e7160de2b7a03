# SPDX-License-Identifier: Apache-2.0
"""Every defect of the server gets its verdict, site and kind, and what is none passes."""

import unittest

import soak_run
from soak_run import RESUMED


# --closed is what the claim needs and no more; without it a quicker handshake only means more of them. What is
# seen of a certificate or a session itself is seen in full handshakes.
# name, extra options, kind, site file or None, blocks per connection or None
DEFECTS = [
    ("lost-state", (*RESUMED, "--closed", "2000"), "side-allocation-lost", "defect.c", 1.0),
    ("peer-cert-ref", ("--client-auth", "require", "--closed", "2000"), "object-retained", None, None),
    ("ssl-retained", (*RESUMED, "--closed", "2000"), "object-retained", None, None),
    ("free-deferred", (*RESUMED, "--closed", "3000"), "free-deferred", None, None),
    ("session-ref", ("--closed", "3000"), "object-retained", None, None),
    ("error-path", (*RESUMED, "--closed", "4000"), "side-allocation-lost", "defect.c", None),
    ("reset-path", (*RESUMED, "--closed", "3000"), "side-allocation-lost", "defect.c", None),
    ("outside", (*RESUMED, "--closed", "4000"), "outside-openssl", None, None),
    ("fragment", (*RESUMED, "--closed", "12000"), "fragmentation", None, None),
    ("per-time", (*RESUMED, "--churn", "1000/s", "--closed", "4000"), "time-based", "defect.c", None),  # 100 blocks a second
    ("table", (*RESUMED, "--closed", "5000"), "table-growing", "defect_stores.c", None),
    ("fd", (*RESUMED, "--closed", "4000"), "descriptors", None, None),
]


# Only an allocator's own figures show these.
NEED_JEMALLOC = ("outside", "fragment")


class Defects(soak_run.SoakTest):
    pass


def add_defect(name, options, kind, site, blocks):
    @unittest.skipIf(name in NEED_JEMALLOC and not soak_run.HAS_JEMALLOC,
                     "shows in jemalloc's figures alone")
    def test(self):
        run = self.soak(*soak_run.CHURN, "--defect", name, *options)
        self.assertEqual(run.exit, 1, run.explain())
        subject = run.subject()
        self.assertEqual(subject["verdict"], "LEAK", run.explain())
        self.assertEqual(subject["kind"], kind, run.explain())
        guilty = subject["sites"][0]
        if site:
            self.assertTrue(guilty["file"].endswith(site), run.explain())
            self.assertGreater(guilty["line"], 0)
        if blocks:
            self.assertEqual(f"{guilty['per_conn_blocks']:.4f}", f"{blocks:.4f}", run.explain())
        self.assertEqual(run.subject("client")["verdict"], "PASS", run.explain())
        self.assertEqual(subject["why"], guilty["note"], run.explain())
        self.assertIs(subject["selfcheck"]["ok"], True, run.explain())

    method = "test_" + name.replace("-", "_") + "_is_a_leak_of_kind_" + kind.replace("-", "_")
    setattr(Defects, method, test)


for defect in DEFECTS:
    add_defect(*defect)


class Rates(soak_run.SoakTest):
    def test_a_block_lost_once_in_a_thousand_is_exact(self):
        run = self.soak(*soak_run.CHURN, *RESUMED, "--defect", "lost-state:1/1000", "--closed", "15000")
        self.assertEqual(run.exit, 1, run.explain())
        guilty = run.subject()["sites"][0]
        self.assertTrue(guilty["file"].endswith("defect.c"))
        self.assertEqual(f"{guilty['per_conn_blocks']:.4f}", "0.0010", run.explain())
        self.assertEqual(guilty["bytes"], 32 * guilty["blocks"])

    def test_lost_state_is_found_within_2500_connections(self):
        # Five seconds at 500/s; counted in connections, since a clock says nothing here.
        run = self.soak("--conns", "30", "--churn", "500/s", "--seed", "7f3a", "--defect",
                        "lost-state")
        self.assertEqual(run.exit, 1, run.explain())
        self.assertLessEqual(run.result["run"]["closed"], 2500, run.explain())


class NotLeaks(soak_run.SoakTest):
    def test_one_time_passes(self):
        run = self.soak(*soak_run.CHURN, *RESUMED, "--defect", "one-time", "--closed", "5000")
        self.assertEqual(run.exit, 0, run.explain())

    def test_bounded_cache_is_named_and_passes(self):
        run = self.soak(*soak_run.CHURN, *RESUMED, "--defect", "cache", "--closed", "5000")
        self.assertEqual(run.exit, 0, run.explain())
        kinds = {s["kind"] for s in run.subject()["sites"]}
        self.assertTrue(kinds & {"cache-filling", "cache-bounded"}, run.explain())


if __name__ == "__main__":
    unittest.main(verbosity=2)
