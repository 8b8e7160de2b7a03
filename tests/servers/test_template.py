# SPDX-License-Identifier: Apache-2.0
"""--template: files for a program's folder, with the placeholders in them filled in."""

import os
import re
import sys
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "integration"))
import soak_run

# Serves as a file in {work} says, and prints the file.
SERVER = """
import runpy, sys
words = dict(line.split(" ", 1) for line in open(sys.argv[1]).read().splitlines())
print(words, flush=True)
sys.argv[1:] = [words["port"], words["cert"], words["key"]]
runpy.run_path(words["program"])
"""
ECHO = os.path.abspath(Path(soak_run.ROOT, "scenarios/servers/conf/threads_server.py"))


class Template(soak_run.SoakTest):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.results, "scenario")
        self.folder.mkdir()
        (self.folder / "server.py").write_text(SERVER)

    def scenario(self, text, *files):
        (self.folder / "conf").write_text(text)
        lines = ["[load]", "conns = 2", "closed = 20", "churn = max", "[server]",
                 "server = /usr/bin/python3 {here}/server.py {work}/conf"]
        lines += [f"template = {c}" for c in files or ("{here}/conf",)]
        (self.folder / "it.soak").write_text("\n".join(lines) + "\n")
        return self.soak("run", str(self.folder / "it.soak"))

    def test_it_is_filled_in(self):
        run = self.scenario(f"port {{port}}\ncert {{cert}}\nkey {{key}}\nprogram {ECHO}\n"
                            "other {x} { {port }} {{work}}\n")
        self.assertIn(run.exit, (0, 3), run.explain())
        log = Path(run.folder, "server.log").read_text()
        self.assertRegex(log, r"'port': '\d+'")
        self.assertIn("{x} { {port }} {" + os.path.join(run.folder, "work") + "}", log)

    def test_what_has_no_value_is_refused(self):
        run = self.scenario("pid {pid}\n")
        self.assertIn("--template {here}/conf: {pid} stands for nothing here", run.out + run.err)

    def test_one_that_is_not_there_is_refused_before_anything_starts(self):
        run = self.scenario("", "{here}/none")
        self.assertEqual(run.exit, 2, run.explain())
        self.assertRegex(run.err, re.escape("--template {here}/none: ") + ".*No such file")
        self.assertIsNone(run.folder)

    def test_two_of_one_name_are_refused(self):
        run = self.scenario("port {port}\n", "{here}/conf", "{here}/../scenario/conf")
        self.assertIn("work/conf: File exists", run.out + run.err)

    def test_without_a_server_it_is_refused(self):
        run = self.soak("--template", "x")
        self.assertEqual(run.exit, 2)
        self.assertIn("--template", run.err)


if __name__ == "__main__":
    unittest.main()
