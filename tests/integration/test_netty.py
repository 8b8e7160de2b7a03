# SPDX-License-Identifier: Apache-2.0
"""examples/netty: the lost tcn_ssl_state_t of netty-tcnative 2.0.28, and the three hypotheses of docs/case-netty.md."""

import glob
import os
import shlex
import sys
import unittest
from pathlib import Path

import soak_run

# A part of the scenario: the JVM has warmed up after some hundred connections.
SHORT = ("--conns", "10", "--closed", "1500")
HERE = os.path.join(soak_run.ROOT, "examples/netty")


def missing():
    """The packages of scripts/needs.txt that this test is for and that aren't here."""
    with open(os.path.join(soak_run.ROOT, "scripts/needs.txt"), encoding="utf-8") as f:
        words = [line.split() for line in f if "netty" in line]
    absent = [package for _, path, package, _ in words if not os.path.exists(path)]
    return absent + ["openjdk-17-jdk-headless"] * (not os.path.exists("/usr/bin/jcmd"))


MISSING = missing()


@unittest.skipIf(MISSING, f"needs {', '.join(MISSING)} (sh scripts/setup.sh ci installs them)")
@unittest.skipUnless(soak_run.HAS_PROBE, soak_run.NO_PROBE)
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
                             "{here}/run.sh EchoServer {work}/classes --listen {address} --cert {cert} --key {key} " + engine,
                             *SHORT, *options)

    def assert_state_is_lost(self, run, blocks=1):
        """So many blocks of 32 bytes per connection at the one place, exactly, and nothing else grows."""
        self.assertEqual(run.exit, 1, run.explain())
        subject = run.subject()
        leaks = [(s["file"], s["line"], s["kind"]) for s in subject["sites"] if s["verdict"] == "LEAK"]
        self.assertEqual(leaks, [("src/ssl.c", 893, "side-allocation-lost")], run.explain())
        self.assertEqual((subject["per_conn_blocks"], subject["per_conn_bytes"]), (blocks, 32 * blocks), run.explain())

    def test_the_lost_state_is_found_with_its_java_callers(self):
        run = self.run_case("lost")
        self.assert_state_is_lost(run)
        functions = [f["function"] for stack in run.subject()["stacks"] for f in stack["frames"]]
        for name in ("io.netty.internal.tcnative.SSL.newSSL", "EchoServer$ConnectionInitializer.initChannel"):
            self.assertIn(name, functions, run.explain())
        versions = {m["part"]: m["version"] for m in run.result["mapped"]}
        self.assertRegex(versions["libnetty_tcnative.so"], "^build ID [0-9a-f]{40}$")
        self.assertIn("openjdk-17-jre-headless", versions)
        self.assertEqual(len(glob.glob(os.path.join(run.folder, "perf-*.map"))), 1)

    def test_both_providers_and_versions_and_client_certificates(self):
        """Each two of them meet: what of three only together would do it is not looked for."""
        alone, mutual = ("", ()), ("--client-ca {ca}", ("--client-auth", "require"))
        for provider, tls, (authority, options) in (("openssl", "1.2", alone), ("openssl", "1.3", mutual),
                                                    ("openssl_refcnt", "1.2", mutual), ("openssl_refcnt", "1.3", alone)):
            with self.subTest(provider=provider, tls=tls, authority=authority):
                self.assert_state_is_lost(self.run_lost(f"--provider {provider} --tls {tls} {authority}", "--tls", tls,
                                                        *options, "--closed", "800"))

    def test_a_client_loses_it_too(self):
        run = self.run_case("client", "--closed", "300")
        self.assertEqual(run.exit, 1, run.explain())
        client = run.subject("client")
        self.assertEqual([(s["file"], s["line"], s["kind"], s["per_conn_bytes"]) for s in client["sites"]
                          if s["verdict"] == "LEAK"],
                         [("src/ssl.c", 893, "side-allocation-lost", 32)], run.explain())

    def test_engines_that_the_collector_frees_leave_only_the_state(self):
        """Two SSLs per connection, so two states."""
        self.assert_state_is_lost(self.run_lost("--engines dropped"), 2)

    def kinds(self, case):
        """Of the run, of the SSL objects and of the states."""
        run = self.run_case(case)
        self.assertEqual(run.exit, 1, run.explain())
        subject = run.subject()
        self.assertEqual(subject["class"], "SSL", run.explain())
        kinds = {s["file"]: s["kind"] for s in subject["sites"] if s["verdict"] == "LEAK" and s["line"] in (691, 893)}
        return subject["kind"], kinds["ssl/ssl_lib.c"], kinds["src/ssl.c"]

    def test_what_nothing_makes_the_collector_free_is_no_leak(self):
        """Engines that the application has forgotten wait for it, those of a lost state's connections too: asked
        as a short command that leaves out what makes it run. The advice is to make it."""
        run = self.run_case("lost", "--on-checkpoint=", "--conns", "1", "--closed", "40")
        subject = run.subject()
        self.assertEqual((run.exit, subject["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertIn("is a JVM, and nothing makes its garbage collector run", subject["reasons"][0], run.explain())
        self.assertNotIn("GROWS", run.out)
        settle = shlex.split(run.result["next"][0])
        self.assertEqual(settle[settle.index("--on-checkpoint") + 1:], ["jcmd {pid} GC.run"], run.explain())

    def test_a_leak_of_another_process_stands_beside_a_jvm(self):
        """And a script that starts the JVM is never given a command for it: jcmd ends what is no JVM."""
        folder = Path(self.results)
        (folder / "Idle.java").write_text("class Idle { public static void main(String[] a) throws Exception {"
                                          " Thread.sleep(Long.MAX_VALUE); } }", encoding="ascii")
        script = folder / "both.sh"
        script.write_text(f"#!/bin/sh\njava {folder}/Idle.java &\nexec {sys.executable} "
                          f'{soak_run.ROOT}/tests/integration/foreign_programs.py one_of_three_leaks "$@"\n', encoding="ascii")
        script.chmod(0o700)
        for which in ("main", "all"):
            with self.subTest(processes=which):
                run = self.soak("run", "--server", f"{script} {{address}} {{cert}} {{key}}", "--processes", which,
                                "--malloc-hooks", "--conns", "2", "--closed", "120", "--churn", "max")
                self.assertEqual((run.exit, run.subject()["verdict"]), (1, "LEAK"), run.explain())

    def test_reachable_engines_are_retained_objects(self):
        """Each holds a state, and there is the one that is lost: which is which the counts can't tell."""
        self.assertEqual(self.kinds("kept"), ("object-retained", "object-retained", "object-retained"))

    def test_unreachable_engines_are_freed_late(self):
        self.assertEqual(self.kinds("dropped"), ("free-deferred", "free-deferred", "side-allocation-lost"))


if __name__ == "__main__":
    unittest.main()
