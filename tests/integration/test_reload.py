# SPDX-License-Identifier: Apache-2.0
"""--reload: what a program keeps of each configuration that it replaces."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from patience import LIMITS, PATIENCE_S, until, until_said, within_limits
from soak_run import Run, SoakTest

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "foreign_programs.py")
HUP = ("--reload", "kill -HUP {pid}")
RUN = ("--conns", "4", "--churn", "max", "--settle", "40ms", "--seed", "7f3a")


class ReloadTest(SoakTest):
    def words(self, what, *options):
        return ("--server", f"{sys.executable} {PROGRAMS} {what} {{address}} {{cert}} {{key}}", *RUN, *options)

    def server(self, what, *options):
        return self.soak(*self.words(what, *options))

    def broken(self, run):
        self.assertEqual(run.exit, 4, run.explain())
        return run.result["broken"]

    def test_a_configuration_that_is_freed_passes(self):
        run = self.server("reloads", *HUP, "--closed", "24")
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())
        self.assertEqual(run.result["run"]["unit"], "reload")
        self.assertEqual(run.result["run"]["closed"], 24)
        self.assertEqual(run.result["run"]["errors"]["total"], 0, run.explain())
        self.assertTrue(run.subject()["selfcheck"]["ok"], run.explain())
        self.assertRegex(run.out, r"one block lost in \d+ reloads? ")
        self.assertIn("reloads/s", run.out)

    def test_a_block_lost_with_each_is_found(self):
        run = self.server("loses_with_each_reload", *HUP, "--closed", "24")
        self.assertEqual((run.exit, run.result["verdict"]), (1, "LEAK"), run.explain())
        site = run.subject()["sites"][0]
        self.assertEqual((site["file"], site["line"], site["kind"], site["per_conn_blocks"]),
                         ("planted.c", 9, "side-allocation-lost", 1), run.explain())
        self.assertTrue(run.subject()["selfcheck"]["ok"], run.explain())
        self.assertIn("32 B lost per reload at planted.c:9", run.out)
        self.assertIn("proportional to reloads, not time", re.sub(r"\s+", " ", run.out))
        self.assertNotIn("/day", run.out)

    def test_nothing_that_one_which_starts_anew_keeps_could_show(self):
        run = self.server("starts_anew_with_a_reload", *HUP, "--closed", "24")
        self.assertEqual((run.exit, run.result["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertIn("has ended since; one process has to stay", " ".join(run.out.split()))
        self.assertEqual((run.result["missing"], run.result["next"]),
                         ("a program of which one process stays as long as the run", []))

    def test_a_master_is_judged_by_its_reloads_whoever_holds_the_connections(self):
        run = self.server("reloads_beside_a_worker", *HUP, "--closed", "24", "--processes", "main")
        self.assertEqual((run.exit, run.result["verdict"]), (0, "PASS"), run.explain())
        self.assertIn("in 1 of 2 processes, by --processes main,", " ".join(run.out.split()))

    def test_its_malloc_is_counted_too(self):
        run = self.server("loses_with_each_reload", *HUP, "--closed", "24", "--malloc-hooks")
        self.assertEqual((run.exit, run.result["verdict"]), (1, "LEAK"), run.explain())
        self.assertEqual(run.subject()["sites"][0]["file"], "planted.c", run.explain())
        self.assertTrue(run.subject()["selfcheck"]["ok"], run.explain())

    def test_a_command_that_fails(self):
        run = self.server("reloads", "--reload", "false", "--closed", "24")
        self.assertEqual(self.broken(run), "--reload 'false' ended with status 1")

    def test_a_command_that_hangs(self):
        stuck = r"^nothing moved for \d+ s while waiting for the command of --reload "
        run = within_limits(lambda limit: self.server("reloads", "--reload", "sleep 600", "--closed", "24",
                                                      "--watchdog", limit),
                            lambda run: re.search(stuck, self.broken(run)), LIMITS[1:])
        self.assertRegex(self.broken(run), stuck)

    def test_one_that_nobody_hears(self):
        run = self.server("reloads", "--reload", "true", "--closed", "24")
        self.assertRegex(self.broken(run), r"^--reload 'true' had no effect: the server allocated nothing "
                                           r"within [\d.]+ s; --malloc-hooks counts its malloc, too$")

    def test_one_that_kills(self):
        run = self.server("dies_of_a_reload", "--reload", "kill -USR1 {pid}", "--closed", "24")
        self.assertRegex(self.broken(run), r"^server exited with status 7 ")

    def test_a_program_that_is_not_there(self):
        run = self.server("reloads", "--reload", "no-such-program", "--closed", "24")
        self.assertEqual((run.exit, run.err), (2, "soak: --reload no-such-program: No such file or directory; "
                                                  "it is started without a shell\n"))

    def interrupted(self, words, wait):
        """Ctrl-C after `wait`: the run ends without what it waits for."""
        process = subprocess.Popen(self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait(process)
        process.send_signal(signal.SIGINT)
        process.stdout, process.stderr = process.communicate(timeout=PATIENCE_S)
        run = Run(process, self.last())
        self.assertEqual(run.exit, 130, run.explain())
        self.assertIsNone(run.result["broken"], run.explain())

    def test_ctrl_c_waits_for_no_command(self):
        self.interrupted(self.words("reloads", "--reload", "sleep 600"),
                         lambda process: until_said(process.stderr, "warming up"))

    def test_ctrl_c_waits_for_no_server_that_stays_down(self):
        with tempfile.TemporaryDirectory() as folder:
            mark = os.path.join(folder, "reloaded")

            def is_down(_):
                until(lambda: os.path.exists(mark), "it has reloaded")
                time.sleep(0.3)  # and the command has ended, too
            self.interrupted(self.words("shuts_with_a_reload", "--reload", f"sh -c 'kill -HUP {{pid}}; touch {mark}'",
                                        "--ready-timeout", "10m", "--watchdog", "10m"), is_down)


if __name__ == "__main__":
    unittest.main()
