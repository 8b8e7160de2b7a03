# SPDX-License-Identifier: Apache-2.0
"""What a run can't write: a full disk, a limit, a folder that is gone."""

import json
import os
import shutil
import subprocess
import unittest

import soak_run
import test_robust
from patience import until


class NotKept(test_robust.Live):
    """What can't be written is no PASS, and the verdict line itself says that the run isn't kept."""

    def assert_not_kept(self, process, sentence):
        self.assert_says(process.returncode, process.stdout, process.stderr, sentence)

    def assert_says(self, code, out, err, sentence):
        self.assertEqual(code, 4, out + err)
        self.assertRegex(out, r"^PASS +not kept; ")
        self.assertRegex(err, sentence)

    def limited(self, limit, *options):
        command = " ".join(self.command(*options))
        return subprocess.run(["bash", "-c", f"ulimit {limit}; exec {command}"], text=True,
                              capture_output=True, check=False, timeout=soak_run.PATIENCE_S)

    def on_a_disk(self, size, *options, after=""):
        """A run whose results are on a tiny file system of its own, in a mount namespace that ends with it."""
        disk = os.path.join(self.results, "disk")
        os.makedirs(disk, exist_ok=True)
        enter = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user",
                                                                  "--mount"]
        if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mount namespace can be made here")
        command = " ".join([soak_run.SOAK, *test_robust.QUICK, *options, "--results", disk])
        script = f"mount -t tmpfs -o size={size} none {disk} && {command}; code=$?; {after} exit $code"
        return subprocess.run([*enter, "sh", "-c", script], capture_output=True, text=True,
                              check=False, timeout=soak_run.PATIENCE_S)

    def test_full_disk(self):
        process = self.on_a_disk("24k")
        self.assert_not_kept(process, r"result\.json: the disk is full .* --results")

    def run_on_a_disk_filled_to(self, left):
        """The disk is filled when all samples but the last are there, but for so many KiB."""
        disk, fill = (os.path.join(self.results, name) for name in ("disk", "fill"))
        with open(fill, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n"
                       'free=$(df --output=avail -k "$1" | tail -1)\n'
                       'head -c $((free - $2))k /dev/zero >"$1/zeros"\n')
        os.chmod(fill, 0o755)
        return self.on_a_disk("8m", f"--on-drain '{fill} {disk} {left}'", after=f"cat {disk}/last/result.json;")

    def test_a_page_that_has_no_room_takes_nothing_from_the_verdict(self):
        folder = self.soak(*test_robust.QUICK).folder
        size = {name: os.path.getsize(os.path.join(folder, name)) // 1024
                for name in ("result.json", "manifest.json", "report.html")}
        half = size["report.html"] // 2
        left = size["result.json"] + size["manifest.json"] + half
        # A run of another length has documents of other sizes: more room for them, or less for the page.
        for _ in range(5):
            process = self.run_on_a_disk_filled_to(left)
            if process.returncode == 0 and "report.html" in process.stderr:
                break
            left += half if process.returncode else -half
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertRegex(process.stdout, r"^PASS +nothing grows")
        self.assertIn('"exit": 0,', process.stdout)
        self.assertRegex(process.stderr, r"report\.html: the disk is full .*; the result is kept: "
                                         r"soak report \S+ --html=FILE makes it again\n")

    def test_the_document_says_so_too(self):
        """And whoever reads it later: `soak report`."""
        run = self.soak(*test_robust.QUICK, "--on-drain", f"mkdir -p {self.results}/last/.manifest.json.tmp")
        self.assert_says(run.exit, run.out, run.err, r"manifest\.json")
        self.assertEqual((run.result["exit"], run.result["not_kept"]), (4, True))
        again = subprocess.run([soak_run.SOAK, "report", run.folder], capture_output=True, text=True,
                               check=True, timeout=soak_run.PATIENCE_S)
        self.assertRegex(again.stdout, r"^PASS +not kept; ")

    def test_a_suite_says_what_could_not_be_kept(self):
        """Not that nothing grows, which the run says last."""
        drain = f"sh -c 'cd {self.results}/*/*smoke* && mkdir -p .manifest.json.tmp'"
        process = subprocess.run([soak_run.SOAK, "suite", "smoke", "--results", self.results, "--on-drain", drain],
                                 capture_output=True, text=True, check=False, timeout=soak_run.PATIENCE_S,
                                 env=dict(os.environ, SOAK_ROOT=soak_run.ROOT))
        self.assertEqual(process.returncode, 4, process.stdout + process.stderr)
        self.assertRegex(process.stdout, r"manifest\.json: ")

    def test_limit_of_a_files_size(self):
        process = self.limited("-Sf 4", *test_robust.QUICK)
        self.assert_not_kept(process, r"samples\.jsonl: the limit of a file's size .* 'ulimit -f")

    def test_limit_of_a_files_size_that_leaves_no_room_for_the_probe(self):
        process = self.limited("-f 64", *test_robust.QUICK)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertRegex(process.stderr, r"^soak: the limit of a file's size is 64 KiB .*ulimit -f")
        self.assertEqual(os.listdir(self.results), [])

    def test_folder_that_is_removed_meanwhile(self):
        # The run waits for it, however long it takes.
        reached = os.path.join(self.results, "reached")
        process = self.start(*test_robust.QUICK, "--on-drain",
                             f"sh -c 'touch {reached}; while test -e {self.results}; do sleep 0.1; done'")
        until(lambda: os.path.exists(reached), "the command")
        shutil.rmtree(self.results)
        run = self.finish(process)
        self.assert_says(run.exit, run.out, run.err, r"result\.json: its folder was removed")

    def assert_kept_as_not_written(self, folder, what):
        """All of it is there; and it says what the process said by its exit code."""
        with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
            result = json.load(file)
        self.assertEqual((result["verdict"], result["exit"], result["not_kept"], result["not_written"]),
                         ("PASS", 4, False, what))
        again = subprocess.run([soak_run.SOAK, "report", folder], capture_output=True, text=True,
                               check=True, timeout=soak_run.PATIENCE_S)
        self.assertRegex(again.stdout, f"^PASS +{what} not written; nothing grows")
        page = os.path.join(folder, "report.html")
        with open(page, encoding="utf-8") as file:
            self.assertIn(f"{what} not written; nothing grows", file.read())

    def test_document_that_cannot_be_written(self):
        run = self.soak(*test_robust.QUICK, "--json=/dev/full")
        self.assertEqual(run.exit, 4, run.err)
        self.assertRegex(run.out, "^PASS +--json not written; nothing grows")
        self.assertRegex(run.err, "--json=/dev/full")
        self.assert_kept_as_not_written(run.folder, "--json")

    def test_report_that_cannot_be_written(self):
        document = os.path.join(self.results, "document.json")
        with open("/dev/full", "w", encoding="utf-8") as full:
            process = subprocess.run(self.command(*test_robust.QUICK, f"--json={document}"), stdout=full,
                                     stderr=subprocess.PIPE, text=True, check=False,
                                     timeout=soak_run.PATIENCE_S)
        self.assertEqual(process.returncode, 4, process.stderr)
        self.assertIn("soak: stdout: ", process.stderr)
        self.assert_kept_as_not_written(os.path.join(self.results, "last"), "stdout")
        with open(document, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["exit"], 4)


if __name__ == "__main__":
    unittest.main()
