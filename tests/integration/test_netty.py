# SPDX-License-Identifier: Apache-2.0
"""examples/netty: the lost tcn_ssl_state_t of netty-tcnative 2.0.28, and the three hypotheses of docs/case-netty.md."""

import glob
import os
import unittest

import soak_run

HERE = os.path.join(soak_run.ROOT, "examples/netty")


def missing():
    """The packages of scripts/needs.txt that this test is for and that aren't here."""
    with open(os.path.join(soak_run.ROOT, "scripts/needs.txt"), encoding="utf-8") as f:
        words = [line.split() for line in f if "netty" in line]
    absent = [package for _, path, package, _ in words if not os.path.exists(path)]
    return absent + ["openjdk-17-jdk-headless"] * (not os.path.exists("/usr/bin/jcmd"))


MISSING = missing()


@unittest.skipIf(MISSING, f"needs {', '.join(MISSING)} (sh scripts/setup.sh ci installs them)")
class Netty(soak_run.SoakTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.remove_maps)

    def remove_maps(self):
        """What the JVM of a run has left in /tmp; the run keeps a copy under the same name."""
        for path in glob.glob(os.path.join(self.results, "*", "perf-*.map")):
            if os.path.exists(left := os.path.join("/tmp", os.path.basename(path))):
                os.unlink(left)

    def run_case(self, case, *options):
        return self.soak("run", os.path.join(HERE, f"{case}.soak"), "--seed", "7f3a", *options)

    def run_lost(self, engine, *options):
        """The scenario with other options of the server."""
        return self.run_case("lost", "--server",
                             "{here}/server.sh {work}/classes --listen {address} --cert {cert} --key {key} " + engine,
                             *options)

    def assert_state_is_lost(self, run, blocks=1):
        """So many blocks of 32 bytes per connection at the one place, exactly, and nothing else grows."""
        self.assertEqual(run.exit, 1, run.explain())
        subject = run.subject()
        found = [f for f in subject["findings"] if f["verdict"] == "leak"]
        self.assertEqual([(f["file"], f["line"], f["kind"]) for f in found],
                         [("src/ssl.c", 893, "side-allocation-lost")], run.explain())
        self.assertEqual((found[0]["blocks_per_conn"], found[0]["bytes_per_conn"]), (blocks, 32 * blocks), run.explain())

    def test_the_lost_state_is_found_with_its_java_callers(self):
        run = self.run_case("lost")
        self.assert_state_is_lost(run)
        functions = [f["function"] for stack in run.subject()["stacks"] for f in stack["frames"]]
        for name in ("io.netty.internal.tcnative.SSL.newSSL", "EchoServer$ConnectionInitializer.initChannel"):
            self.assertIn(name, functions, run.explain())
        self.assertEqual(len(glob.glob(os.path.join(run.folder, "perf-*.map"))), 1)

    def test_both_providers_and_versions_and_client_certificates(self):
        for engine, options in (("--provider openssl --tls 1.2", ()),
                                ("--provider openssl_refcnt --tls 1.3", ()),
                                ("--provider openssl_refcnt --tls 1.2", ()),
                                ("--tls 1.3 --client-ca {ca}", ("--client-auth", "require")),
                                ("--tls 1.2 --client-ca {ca}", ("--client-auth", "require"))):
            with self.subTest(engine=engine):
                self.assert_state_is_lost(self.run_lost(engine, *options))

    def test_engines_that_the_collector_frees_leave_only_the_state(self):
        """Two SSLs per connection, so two states."""
        self.assert_state_is_lost(self.run_lost("--engines dropped"), 2)

    def first_finding(self, case):
        run = self.run_case(case)
        self.assertEqual(run.exit, 1, run.explain())
        found = run.subject()["findings"][0]
        return run, (found["kind"], os.path.basename(found["file"]))

    def test_reachable_engines_are_retained_objects(self):
        run, found = self.first_finding("kept")
        self.assertEqual(found, ("object-retained", "ssl_lib.c"), run.explain())

    def test_unreachable_engines_are_freed_late(self):
        run, found = self.first_finding("dropped")
        self.assertEqual(found, ("free-deferred", "ssl_lib.c"), run.explain())


if __name__ == "__main__":
    unittest.main()
