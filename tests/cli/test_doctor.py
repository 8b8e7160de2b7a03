# SPDX-License-Identifier: Apache-2.0
"""`soak doctor` on this machine: what it finds where something is really amiss."""

import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S

BIN = pathlib.Path(os.environ["SOAK_BUILD"]) / "bin"
PROBE = BIN / "libsoakprobe.so"


def limit(what, value):
    return lambda: resource.setrlimit(what, (value, value))


class Doctor(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="soak-doctor-")
        self.addCleanup(folder.cleanup)
        self.here = pathlib.Path(folder.name)

    def doctor(self, *words, program=BIN / "soak", code=0, **options):
        environment = dict(os.environ, SOAK_ROOT=str(self.here), TMPDIR=str(self.here))
        process = subprocess.run([program, "doctor", *words, "--json"], capture_output=True, text=True, check=False,
                                 timeout=PATIENCE_S, env=environment, **options)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        document = json.loads(process.stdout)
        self.assertEqual(document["works"], code == 0)
        return {finding["name"]: finding for finding in document["findings"]}

    def programs(self, *names):
        """A folder with some of the programs."""
        folder = self.here / "bin"
        folder.mkdir()
        for name in names:
            shutil.copy2(BIN / name, folder)
        return folder / "soak"

    def test_a_default_run_can_work_here(self):
        found = self.doctor()
        needed = ["programs", "open files", "loopback", "probe page", "smaps_rollup", "results"]
        for name in needed + ["preload"] * PROBE.exists():  # a sanitizer's build has none
            self.assertEqual(found[name]["state"], "ok", found[name])
        self.assertRegex(found["programs"]["text"], r"^a trial of 1,5\d\d connections ran: openssl ")
        self.assertRegex(found["handshake"]["text"], r"^[1-9]\d* µs .*: server [1-9]\d*, client [1-9]\d*$")
        self.assertEqual(list(self.here.iterdir()), [], "nothing is left")

    def test_a_probe_that_is_no_library_is_found_out(self):
        program = self.programs("soak", "soak-server", "soak-client")
        (program.parent / "libsoakprobe.so").write_text("no library", encoding="utf-8")
        found = self.doctor(program=program)
        self.assertEqual(found["preload"]["state"], "warning")
        self.assertIn("LD_PRELOAD doesn't load the probe", found["preload"]["text"])

    def test_without_the_server_no_run_works(self):
        found = self.doctor(program=self.programs("soak", "soak-client"), code=1)
        self.assertEqual(found["programs"]["state"], "failure")
        self.assertIn("soak-server", found["programs"]["text"])
        self.assertNotIn("churn", found)

    def test_too_few_files_are_told_with_the_number_that_is_needed(self):
        found = self.doctor("--conns", "5k", code=1, preexec_fn=limit(resource.RLIMIT_NOFILE, 2000))
        self.assertEqual(found["open files"]["state"], "failure")
        self.assertRegex(found["open files"]["text"], "raise it with 'ulimit -Hn [0-9]+'")

    def test_a_page_beyond_the_size_of_files_is_told(self):
        found = self.doctor(code=1, preexec_fn=limit(resource.RLIMIT_FSIZE, 1 << 20))
        self.assertEqual(found["probe page"]["state"], "failure")

    def test_the_text_says_the_same(self):
        process = subprocess.run([BIN / "soak", "doctor", "--churn", "900000/s"], capture_output=True, text=True, check=False,
                                 timeout=PATIENCE_S, env=dict(os.environ, SOAK_ROOT=str(self.here)))
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        self.assertRegex(process.stdout, r"(?m)^ok       programs      a trial ")
        self.assertIn("to mend: --churn max", process.stdout)
        self.assertLessEqual(max(map(len, process.stdout.splitlines())), 80)
        self.assertRegex(process.stdout, r"\na run can work: \d+ warnings?, 0 failures\n$")


    def test_failures_come_first_then_warnings(self):
        process = subprocess.run([BIN / "soak", "doctor", "--churn", "900000/s"], capture_output=True, text=True, check=False,
                                 timeout=PATIENCE_S, env=dict(os.environ, SOAK_ROOT=str(self.here)),
                                 preexec_fn=limit(resource.RLIMIT_FSIZE, 1 << 20))
        self.assertEqual(process.returncode, 1)
        states = [line.split()[0] for line in process.stdout.splitlines() if re.match("[a-z]+  ", line)]
        self.assertEqual(states, sorted(states, key=("failure", "warning", "ok").index))
        self.assertEqual({"failure", "warning", "ok"}, set(states))


if __name__ == "__main__":
    unittest.main(verbosity=2)
