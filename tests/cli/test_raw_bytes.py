# SPDX-License-Identifier: Apache-2.0
"""Bytes that could steer a terminal are never printed as they are, wherever they come from: an option's
value, a file's name or text, a library's record, a document. Each command gets them in each place."""

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S
from test_planted import planted

BUILD = os.environ["SOAK_BUILD"]
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK = os.path.join(BUILD, "bin", "soak")

# A title for the window, colour, a bell, DEL, U+009B in UTF-8, and what isn't UTF-8.
BAD = b"\x1b]0;owned\x07\x1b[31m\x7f\xc2\x9b31m\xff\x08"
BAD_TEXT = BAD.decode("utf-8", "replace")
# What may not be as long, or must be written as a shell, or a suite, has it.
BAD_BY_KEY = dict.fromkeys(("openssl", "group", "cipher", "tls", "key"), "\x1b[1m\x9b") | {
    "again": "./soak --a" + BAD_TEXT, "alone": "./soak --a" + BAD_TEXT, "options": f" '{BAD_TEXT}'",
    "site": BAD_TEXT + ":1", "expect": "leak site=" + BAD_TEXT}
STEERS = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
STRINGS = """--alpn --sni --groups --ciphers --defect --listen --on-drain --results --json= --expect --slice
--openssl --libuv --jemalloc --libc --build --mix --seed --conns --churn --for --tls --payload --resume
--sensitivity --limit-heap""".split()


class RawBytes(unittest.TestCase):
    def setUp(self):
        self.folder = os.fsencode(tempfile.mkdtemp(prefix="soak-raw-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, SOAK_ROOT=str(SOURCE), LC_ALL="C.UTF-8", SOAK_MIRROR="/nonexistent",
                                SOAK_CACHE=os.fsdecode(self.folder) + "/cache")

    def soak(self, *words, code=None, said=True, **more):
        process = subprocess.run([SOAK, *words], capture_output=True, timeout=PATIENCE_S, check=False,
                                 stdin=subprocess.DEVNULL, cwd=self.folder,
                                 env=dict(self.environment, **more))
        output = process.stdout + process.stderr
        self.assertIsNone(STEERS.search(output), (words, output))
        output.decode()
        if code is not None:
            self.assertEqual(process.returncode, code, (words, output))
        if said:
            self.assertIn(b"owned", output, words)
        return output

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_values_of_options(self):
        for option, command in itertools.product(STRINGS, ("run", "show", "suite smoke", "compare smoke")):
            words = command.split()
            if option in ("--openssl", "--libuv") and words[0] == "compare":
                continue
            value = [option.encode() + BAD] if option.endswith("=") else [option.encode(), BAD]
            # A run would start with values that are any text: what can't go together ends it.
            refused = [b"--session", b"none", b"--resume", b"5%"]
            self.soak(*words, *value, *refused, code=2, said=False)

    def test_what_show_prints(self):
        for option in ("--alpn", "--sni"):
            text = BAD.replace(b"\xff", b"")
            self.soak("show", option, text, code=0)
            self.soak("show", "--as-command", option, text, code=0)

    def test_words_and_names_of_options(self):
        for words in ([BAD], [b"--" + BAD], [b"-" + BAD], [b"--conns=" + BAD], ["help", BAD],
                      ["run", BAD + b".soak"], ["suite", BAD], ["suite", BAD + b".soak"],
                      ["merge", BAD], ["merge", BAD + b".json"], ["compare", BAD + b".json", b"x.json"],
                      ["list", BAD], ["libs", BAD], ["libs", "remove", BAD], ["libs", "add", BAD],
                      ["libs", "add", b"x=" + BAD], ["libs", "add", b"debian:" + BAD],
                      ["libs", "add", BAD + b".deb"], ["selftest", "--only", BAD],
                      ["calibrate", "--mix", BAD], ["show", BAD], ["bisect", BAD, "--openssl", "3.0.17..3.0.18"],
                      ["bisect", "smoke", "--openssl", b"3.0.17.." + BAD],
                      ["compare", "smoke", "--openssl", b"3.0.17," + BAD]):
            self.soak(*words, code=2)

    def test_scenario_files(self):
        for name, content in ((b"key", b"[load]\n" + BAD + b" = 3\n"),
                              (b"section", b"[" + BAD + b"]\n"),
                              (b"value", b"[load]\nconns = " + BAD + b"\n"),
                              (b"include", b"include = " + BAD + b"\n"),
                              (b"text", b"[tls]\nalpn = " + BAD + b"\nsession = none\nresume = 5%\n"),
                              (b"name" + BAD, b"[load]\nconns = x\n")):
            path = self.write(name + b".soak", content)
            for command in ("run", "show", "suite"):
                self.soak(command, path, code=2, said=False)

    def test_lists_of_scenarios(self):
        self.write(b"scenarios/a" + BAD + b".soak", b"# It says " + BAD + b".\n[load]\nconns = 3\n")
        root = os.fsdecode(self.folder)
        for words in (["list"], ["list", "scenarios"], ["a"], ["run", "nosuch"]):
            self.soak(*words, SOAK_ROOT=root)

    def with_bad_texts(self):
        """A run that leaks, and its suite, with it in every text of their documents; the run as it was."""
        self.write(b"a.soak", b"[load]\nconns = 2\nchurn = max\nclosed = 64\n[server]\ndefect = lost-state\n"
                              b"[verdict]\nfootprint = true\n")
        self.soak("suite", "a.soak", "--results", "r", code=1, said=False)
        suite = next(pathlib.Path(os.fsdecode(self.folder), "r").glob("*-suite"))
        run = next(suite.glob("*-a"))
        was = shutil.copytree(run, os.path.join(os.fsdecode(self.folder), "was"))
        for path in (suite / "suite.json", run / "result.json"):
            document = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(json.dumps(planted(document, BAD_TEXT, BAD_BY_KEY)), encoding="utf-8")
        return run, suite, was

    def test_documents(self):
        """In all that is made of them, whether a person reads it or a program."""
        run, suite, was = self.with_bad_texts()
        another = shutil.copytree(run, os.path.join(os.fsdecode(self.folder), "another"))
        for form in ("--quiet", "--markdown", "--issue", "--folded", "--flame", "--junit", "--html", "--sarif", "--json"):
            self.soak("report", run, form, code=0)
        for form in ("--markdown", "--html", "--json"):
            self.soak("report", suite, form, code=0)
            self.soak("compare", run, another, form, code=0)
        for form in ("--markdown", "--json"):
            self.soak("merge", suite, form, code=0)
        for words in (["report", run], ["report", suite], ["merge", suite], ["compare", run, another]):
            self.soak(*words, code=0)
        self.soak("compare", was, run, code=2)
        history = {"SOAK_HISTORY": os.fsdecode(self.folder) + "/history.db"}
        self.soak("history", "add", run, code=0, said=False, **history)
        for form in ([], ["--markdown"], ["--html"], ["--json"]):
            self.soak("history", *form, code=0, **history)

    def test_the_command_of_a_document(self):
        """It is printed where it can't be repeated."""
        run, _, _ = self.with_bad_texts()
        self.assertRegex(self.soak("shorten", run, code=2), rb"(?m)^\./soak --a.*owned")

    def test_a_run(self):
        """Everything that it prints, with such text in its name and options."""
        text = BAD.replace(b"\xff", b"")
        path = self.write(b"r" + text + b".soak", b"[load]\nconns = 5\nclosed = 1000\nchurn = 400/s\n")
        results = self.folder + b"/" + text
        self.soak("run", path, "--results", results, "--alpn", b"a" + text)
        run = os.path.join(results, os.readlink(os.path.join(results, b"last")))
        self.assertRegex(os.path.basename(run), rb"^[-\w]+owned[-\w]+$")
        self.soak("compare", run, shutil.copytree(run, run + b"-another"), code=0)
        for words in (["run", path, "--sni", BAD], ["show", path, "--results", BAD], ["run", path + BAD]):
            self.assertIn(b"must be UTF-8 text\n", self.soak(*words, code=2))

    def test_a_command_on_drain(self):
        self.soak("--on-drain", b"false " + BAD.replace(b"\xff", b""), "--conns", "5", "--closed", "700", "--results", self.folder,
                  said=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
