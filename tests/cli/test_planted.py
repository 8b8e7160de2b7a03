# SPDX-License-Identifier: Apache-2.0
"""A document may be anybody's, and names in it are what programs, scenarios and machines are called. With a script in
every text of a run, a suite and a comparison, nothing that is made of them has it as anything but text."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import browser
from patience import PATIENCE_S

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK = BUILD / "bin/soak"
PLANTED = "\"'><script>planted=1</script><img src=x onerror=planted=1>`|\n# big <!--&"
# Words of soak's own lists: the reader refuses any other, or knows less of the run by it.
OWN = {"schema", "verdict", "outcome", "end", "id", "unit", "kind", "role", "state", "stage", "seed", "time", "started"}
OWN_VALUES = {"server", "client"}

# What is made of a document is tested only by what the document holds: these parts of it, which every build writes.
WITH_TEXTS = {"suite.json": ("scenarios", "shards"), "result.json": ("subjects", "mapped", "run", "libs")}

# What may not be as long, is a line, or must be written as a shell, or a suite, has it.
SHORT = "<img src=x>"
BY_KEY = {"openssl": SHORT, "group": SHORT, "cipher": SHORT, "tls": "<b>", "key": "<b>", "options": " '<script>'", "site": PLANTED + ":1",
          "expect": "leak site=<script>", "scenario": PLANTED.replace("\n", "")}


def planted(value, text=PLANTED, by_key=BY_KEY, key=None):
    """The same with it in every text."""
    if isinstance(value, dict):
        return {name: planted(inner, text, by_key, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [planted(inner, text, by_key, key) for inner in value]
    return by_key.get(key, text) if isinstance(value, str) and key not in OWN and value not in OWN_VALUES else value


def has_text(value):
    if isinstance(value, (dict, list)):
        return any(map(has_text, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str)


class Planted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-planted-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "a.soak").write_text("[load]\nconns = 2\nchurn = max\nclosed = 64\n[server]\n"
                                           "defect = lost-state\n[verdict]\nfootprint = true\n", encoding="utf-8")
        cls.soak("suite", "a.soak", "--results", "r", code=1)
        cls.suite = next((cls.folder / "r").glob("*-suite"))
        cls.run_folder = next(cls.suite.glob("*-a"))
        for path in (cls.suite / "suite.json", cls.run_folder / "result.json"):
            document = json.loads(path.read_text(encoding="utf-8"))
            without = [key for key in WITH_TEXTS[path.name] if not has_text(document[key])]
            assert not without, f"{path.name}: no text in {without}"
            path.write_text(json.dumps(planted(document)), encoding="utf-8")
        cls.another = shutil.copytree(cls.run_folder, cls.folder / "another")

    @classmethod
    def soak(cls, *words, code=0):
        process = subprocess.run([SOAK, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE_S,
                                 check=False, cwd=cls.folder,
                                 env=dict(os.environ, SOAK_ROOT=str(SOURCE), SOAK_HISTORY=""))
        assert process.returncode == code, process.stderr
        return process.stdout

    def pages(self):
        yield "run", self.soak("report", self.run_folder, "--html")
        yield "suite", self.soak("report", self.suite, "--html")
        yield "comparison", self.soak("compare", self.run_folder, self.another, "--html")

    def test_no_page_has_it_as_markup(self):
        for of, page in self.pages():
            with self.subTest(of):
                self.assertEqual((page.count("<script"), page.count("<img"), page.count("<!--")), (1, 0, 0))
                self.assertGreater(page.count("&lt;script&gt;planted"), 3)

    @unittest.skipUnless(browser.PROGRAM, "no browser: install chromium to see the pages in one")
    def test_no_page_runs_it_in_a_browser(self):
        opened = browser.Browser()
        self.addCleanup(opened.close)
        path = self.folder / "page.html"
        for of, page in self.pages():
            with self.subTest(of):
                path.write_text(page, encoding="utf-8")
                self.assertEqual(opened.open(path, 1280), [])
                self.assertEqual(opened.look("typeof planted + document.querySelectorAll('img').length"), "undefined0")

    def test_what_is_xml(self):
        for words in ((self.run_folder, "--junit"), (self.run_folder, "--flame"), (self.suite, "--junit")):
            with self.subTest(words=words):
                root = xml.etree.ElementTree.fromstring(self.soak("report", *words))
                self.assertEqual([e.tag for e in root.iter() if e.tag.rpartition("}")[2] in ("script", "img")], [])

    def test_what_is_json(self):
        for words in ((self.run_folder, "--sarif"), (self.run_folder, "--json"), (self.suite, "--json")):
            with self.subTest(words=words):
                self.assertIn("script", json.dumps(json.loads(self.soak("report", *words))))

    def test_what_is_markdown(self):
        for words in ((self.run_folder, "--issue"), (self.run_folder, "--markdown"), (self.suite, "--markdown")):
            with self.subTest(words=words):
                text = self.soak("report", *words)
                self.assertIn("script", text)
                prose = [line for line in text.splitlines() if not line.startswith("    ")]
                self.assertEqual([line for line in prose if re.search(r"<(script|img|!--)", line)], [])
                self.assertFalse(any(line.startswith("# big") for line in prose))


if __name__ == "__main__":
    unittest.main()
