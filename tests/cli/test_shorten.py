# SPDX-License-Identifier: Apache-2.0
"""`soak shorten`: a leak's own run gets shorter, what it leaves, and what it says when it can't. The search itself is
in tests/unit/soak/shorten."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from patience import PATIENCE_S, until
from schemas import VALIDATOR, read_schema, strict

sys.path.append(str(pathlib.Path(__file__).parents[1] / "integration"))
from processes import all_children_of, is_cleaner  # noqa: E402

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK = BUILD / "bin/soak"
LEAKY = ("--conns", "2", "--churn", "max", "--closed", "64", "--defect", "lost-state", "--sni-switch", "--seed", "7f3a")


def files_of(pid):
    """Those that a process has open; none of one that ends meanwhile."""
    files = []
    with contextlib.suppress(OSError):
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                files.append(fd.readlink())
    return files


class Shorten(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = pathlib.Path(tempfile.mkdtemp(prefix="soak-shorten-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.base)
        (cls.base / "tmp").mkdir()
        cls.environment = dict(os.environ, SOAK_ROOT=str(SOURCE), TMPDIR=str(cls.base / "tmp"))
        process = cls.soak("run", *LEAKY, "--results", "r", "--quiet")
        assert process.returncode == 1, process.stderr
        cls.run_folder, = (cls.base / "r").glob("2*")

    @classmethod
    def soak(cls, *words):
        return subprocess.run([SOAK, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                              cwd=cls.base, env=cls.environment)

    def copy(self, **changes):
        """The run's folder with another document."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="copy-", dir=self.base))
        document = json.loads((self.run_folder / "result.json").read_text(encoding="utf-8"))
        (folder / "result.json").write_text(json.dumps(document | changes), encoding="utf-8")
        return folder

    def assert_nothing_left(self):
        self.assertEqual(list((self.base / "tmp").iterdir()), [])
        self.assertEqual(len(list((self.base / "r").glob("2*"))), 1)

    def found_in(self, folder):
        document = json.loads((folder / "shortest.json").read_text(encoding="utf-8"))
        self.assertEqual(list(VALIDATOR(strict(read_schema("soak-shortest-1"))).iter_errors(document)), [])
        return document

    def test_a_leak_is_shown_by_less(self):
        """The run, half of its connections, a quarter, half of its behaviours, and that once more."""
        folder = self.copy()
        process = self.soak("shorten", folder, "--runs", "5")
        self.assertEqual(process.returncode, 0, process.stderr)
        command = process.stdout.splitlines()[0]
        words = shlex.split(command)
        self.assertEqual(words[-2:], ["--seed", "7f3a"])
        self.assertLessEqual(int(words[words.index("--closed") + 1]), 64)
        self.assertNotIn("mid-handshake", words[words.index("--mix") + 1])
        self.assertIn("--defect lost-state", command)
        self.assertRegex(process.stderr, r"(?m)^soak: shorten: at most 5 runs, none begun after 10m.*Ctrl-C")
        self.assertRegex(process.stderr, r"(?m)^soak: run 5: still shown by  .*lost-state")
        found = self.found_in(folder)
        self.assertEqual((found["command"], found["runs"], found["confirmed"], found["stopped"]),
                         (command, 5, True, True))
        self.assertRegex(found["site"], r"^server/defect\.c:\d+$")
        issue = self.soak("report", folder, "--issue").stdout
        self.assertIn(f"## To see it\n\n    {command}\n", issue.replace(" \\\n       ", ""))
        self.assertIn("Found by 5 runs", issue)
        self.assertIn("--sni-switch", issue.partition("The run that the rest is about:")[2])
        self.assert_nothing_left()

    def test_an_earlier_search_that_found_something_better_stays(self):
        """And one that found something worse doesn't, nor one of another soak, whose lines are others'."""
        folder = self.copy()
        self.assertEqual(self.soak("shorten", folder, "--runs", "2").returncode, 0)
        found = self.found_in(folder)
        shorter = found | {"command": "soak --closed 1", "closed": 1, "runs": 9}
        for earlier, stays in ((shorter, True), (shorter | {"confirmed": False}, False),
                               (shorter | {"version": "0.0.1"}, False), (found | {"closed": 10**6}, False)):
            with self.subTest(earlier=earlier):
                (folder / "shortest.json").write_text(json.dumps(earlier), encoding="utf-8")
                process = self.soak("shorten", folder, "--runs", "2")
                now = self.found_in(folder)
                self.assertEqual(now == earlier, stays)
                self.assertEqual(process.stdout.splitlines()[0], now["command"])
                self.assertEqual(bool(re.search(r"(?m)^  kept +from an earlier search", process.stdout)), stays)
        self.assert_nothing_left()

    def assert_refused(self, returncode, out, err):
        self.assertEqual((returncode, out), (2, ""))
        self.assertRegex(err, r"\Asoak: shorten: \S+: it is of user 65534, and its command would be run; read it, and "
                              r"copy the folder if you trust it\n\Z")

    @unittest.skipIf(os.geteuid() != 0, "only root can give a file to another user")
    def test_no_command_of_another_user_is_run(self):
        for given in (".", "result.json", "unfinished.json", "shortest.json"):
            folder = self.copy()
            if given == "unfinished.json":
                (folder / "result.json").rename(folder / given)
            elif given == "shortest.json":
                self.assertEqual(self.soak("shorten", folder, "--runs", "2").returncode, 0)
            os.chown(folder / given, 65534, 65534)
            link = self.base / "theirs"
            link.symlink_to(folder)
            runs = (folder, link) if given == "shortest.json" else (folder, folder / given, link)
            for run in runs:
                with self.subTest(given=given, run=run):
                    process = self.soak("shorten", run, "--runs", "2")
                    self.assert_refused(process.returncode, process.stdout, process.stderr)
            link.unlink()
        self.assert_nothing_left()

    @unittest.skipIf(os.geteuid() != 0, "only root can give a file to another user")
    def test_nor_where_their_link_leads_to_a_run_of_ones_own_once_theirs_is_read(self):
        theirs, link, other = self.copy(), self.base / "link", self.base / "other"
        document = theirs / "result.json"
        with document.open("a", encoding="utf-8") as out:  # so that reading it takes a while
            out.write(" " * (50 << 20))
        for path in (theirs, document):
            os.chown(path, 65534, 65534)
        link.symlink_to(theirs)
        other.symlink_to(self.copy())
        with subprocess.Popen([SOAK, "shorten", link, "--runs", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, cwd=self.base, env=self.environment) as process:
            until(lambda: document in files_of(process.pid) or process.poll() is not None, "it reads the document")
            other.replace(link)
            out, err = process.communicate(timeout=PATIENCE_S)
        self.assert_refused(process.returncode, out, err)
        self.assert_nothing_left()

    def test_the_line_of_the_issue_can_be_pasted(self):
        folder = self.base / "it's <b> $(x)"
        shutil.copytree(self.copy(), folder)
        process = self.soak("shorten", folder, "--runs", "2")
        issue, = (line for line in process.stdout.splitlines() if line.startswith("  issue"))
        self.assertEqual(shlex.split(issue)[-3:], ["report", folder.name, "--issue"])
        self.assert_nothing_left()

    def test_ctrl_c_keeps_what_was_found_by_then(self):
        folder, said = self.copy(), self.base / "said"
        with said.open("w", encoding="utf-8") as err, subprocess.Popen(
                [SOAK, "shorten", folder], stdout=subprocess.PIPE, stderr=err, text=True, cwd=self.base,
                env=self.environment) as process:
            until(lambda: "run 1: still" in said.read_text(encoding="utf-8"), "a run has shown it")
            process.send_signal(signal.SIGINT)
            out = process.stdout.read()
        self.assertEqual(process.returncode, 130)
        found = self.found_in(folder)
        self.assertEqual((found["confirmed"], found["stopped"]), (False, True))
        self.assertEqual(out.splitlines()[0], found["command"])
        self.assertIn("it was not confirmed by one more", self.soak("report", folder, "--issue").stdout)
        self.assert_nothing_left()

    def test_what_a_killed_search_left_is_removed_by_the_next(self):
        """Its cleaner, which would remove it at once, is killed before it, as when a machine runs out of memory."""
        left, folder = self.base / "tmp", self.copy()
        (left / "soak-shorten-kept").mkdir()  # of a user, or of a search that is under way: not locked by it
        self.addCleanup(lambda: (left / "soak-shorten-kept").exists() and (left / "soak-shorten-kept").rmdir())
        process = subprocess.Popen([SOAK, "shorten", folder, "--quiet"], cwd=self.base, env=self.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: list(left.glob("*/1/*")), "the first run")
        cleaner, = (pid for pid, _ in all_children_of(process.pid) if is_cleaner(pid))
        os.kill(cleaner, signal.SIGKILL)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
        self.assertEqual(len(list(left.iterdir())), 2)
        self.soak("shorten", folder, "--runs", "2", "--quiet")
        self.assertEqual([path.name for path in left.iterdir()], ["soak-shorten-kept"])
        (left / "soak-shorten-kept").rmdir()
        self.assert_nothing_left()

    def test_a_full_disk_is_told_with_what_helps(self):
        enter = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mount namespace can be made here")
        folder, disk = self.copy(), self.base / "disk"
        disk.mkdir()
        # Room for the folder of all runs and its lock, and for none of a run.
        script = 'mount -t tmpfs -o nr_inodes=3 none "$1" && TMPDIR="$1" exec "$2" shorten "$3" --runs 2'
        process = subprocess.run([*enter, "sh", "-c", script, "sh", disk, SOAK, folder], capture_output=True,
                                 text=True, check=False, timeout=PATIENCE_S, cwd=self.base, env=self.environment)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertRegex(process.stderr, r"the disk is full .*; free some space or give another folder with TMPDIR\n")

    def test_what_cannot_be_run_again_is_a_sentence_and_the_own_command(self):
        gone = "./soak --server '/nonexistent/server {port}' --conns 2 --closed 64 --seed 7f3a"
        here = "./soak --server '{here}/server {port}' --seed 7f3a"
        for alone, again, code, sentence in (
                (gone, None, 2, "soak: shorten: the run can't be repeated: soak: .*/nonexistent/server"),
                (here, "./soak run /nonexistent/x.soak --seed 7f3a", 2,
                 "soak: shorten: the run can't be repeated: .*/nonexistent/x.soak"),
                (None, "./soak run smoke --no-such-option --seed 1", 2,
                 "soak: shorten: the run can't be repeated: .*no-such-option"),
                (None, "./soak --say $'\\x1b' --seed 1", 2,
                 "soak: shorten: the run can't be repeated: .*only a shell")):
            with self.subTest(alone=alone, again=again):
                folder = self.copy(alone=alone, again=again)
                process = self.soak("shorten", folder)
                self.assertEqual(process.returncode, code, process.stderr)
                self.assertRegex(process.stderr.splitlines()[-1], sentence)
                self.assertEqual(process.stdout, (alone or again) + "\n")
                self.assertFalse((folder / "shortest.json").exists())
        self.assert_nothing_left()

    def test_a_leak_that_is_gone_is_not_found(self):
        clean = "./soak --conns 1 --churn max --closed 16 --seed 7f3a"
        process = self.soak("shorten", self.copy(alone=clean, again=clean.replace("./soak", "./soak run default")),
                            "--for", "1ms", "--runs", "2")
        self.assertEqual((process.returncode, process.stdout), (3, clean + "\n"))
        self.assertIn("the run's own command doesn't show the leak any more", process.stderr)

    def test_a_leak_that_moved_is_not_called_gone(self):
        """As after a change of the source: the line is another, the leak is there."""
        subjects = json.loads((self.run_folder / "result.json").read_text(encoding="utf-8"))["subjects"]
        guilty, = (site for site in subjects[0]["sites"] if site["verdict"] == "LEAK")
        line, guilty["line"] = guilty["line"], guilty["line"] + 1000
        process = self.soak("shorten", self.copy(subjects=subjects), "--runs", "2")
        self.assertEqual(process.returncode, 3, process.stderr)
        self.assertRegex(process.stderr.splitlines()[-1], f"leaks elsewhere now: at server/defect.c:{line}, not at "
                         f"server/defect.c:{line + 1000}$")

    def test_a_run_that_is_about_another_leak_does_not_show_it(self):
        """Although it has this one, too: whoever repeats the command is told of the other."""
        process = self.soak("run", *LEAKY, "--defect", "session-ref", "--results", "two", "--quiet")
        self.assertEqual(process.returncode, 1, process.stderr)
        path, = (self.base / "two").glob("2*/result.json")
        document = json.loads(path.read_text(encoding="utf-8"))
        server = document["subjects"][0]
        first, second, *_ = (site for site in server["sites"] if site["verdict"] == "LEAK")
        server["sites"].remove(first)
        path.write_text(json.dumps(document), encoding="utf-8")
        process = self.soak("shorten", path, "--runs", "2")
        self.assertEqual(process.returncode, 3, process.stderr)
        self.assertRegex(process.stderr.splitlines()[-1], f"leaks elsewhere now: at {first['file']}:{first['line']}, "
                         f"not at {second['file']}:{second['line']}$")

    def test_what_is_no_leak_or_no_search_is_refused(self):
        broken = self.copy()
        (broken / "shortest.json").write_text("{}", encoding="utf-8")
        for words, sentence in (((self.copy(verdict="PASS"),), ".*: PASS, and only a LEAK can be shortened"),
                                ((), "which run\\? .*"), (("/nonexistent",), ".*nonexistent.*"),
                                ((broken,), ".*shortest.json: .*schema.*"),
                                ((self.run_folder, "--runs", "1"), "--runs 1: from 2 to 500"),
                                ((self.run_folder, "--for", "0s"), "--for 0s: no run could begin")):
            with self.subTest(words=words):
                process = self.soak("shorten", *words)
                self.assertEqual((process.returncode, process.stdout), (2, ""))
                self.assertRegex(process.stderr, f"^soak: shorten: {sentence}\n$")


if __name__ == "__main__":
    unittest.main()
