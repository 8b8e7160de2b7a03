# SPDX-License-Identifier: Apache-2.0
"""scripts/coverage.py over made-up counts: what it calls covered, and what it refuses; scripts/coverage.sh
refuses other words before it builds."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SCRIPTS = SOURCE / "scripts"
sys.path.insert(0, str(SCRIPTS))
import coverage  # noqa: E402

TEXT = "int f(int a)\n{\n    CHECK(a);\n    return a ? 1 : 2;\n}\nENUM_NAMES(unit, UNIT_LIST)\nENUM_FROM_NAME(unit, UNIT_LIST)\n"
JUDGED, OTHER = "src/common/stats/trend.c", "server/main.c"


def line(number, count, *branches, noncode=False):
    return {"line_number": number, "count": count, "gcovr/noncode": noncode, "gcovr/excluded": False,
            "branches": [{"count": b} for b in branches]}


def counted(path, lines, functions=()):
    return {"file": path, "lines": lines, 
            "functions": [{"name": n, "execution_count": c, "lineno": at} for at, n, c in functions]}


class Coverage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for path in JUDGED, OTHER, "src/soak/main.c", "src/soak/run/run.c":
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(TEXT, encoding="utf-8")

    def figures(self, *files):
        return coverage.Figures(files, self.root)

    def test_lines_are_counted_by_room(self):
        read = self.figures(counted(OTHER, [line(1, 5), line(4, 0), line(5, 9, noncode=True)]),
                            counted("src/soak/main.c", [line(1, 1)]), counted("src/soak/run/run.c", [line(1, 0)]))
        self.assertEqual({room: (s.covered, s.all) for room, s in read.rooms.items()},
                         {"server": (1, 2), "src/soak": (1, 1), "src/soak/run": (0, 1)})
        self.assertEqual(read.lines.percent, 50)

    def test_only_the_judges_branches_count_and_no_check(self):
        read = self.figures(counted(JUDGED, [line(3, 1, 1, 0), line(4, 1, 1, 0), line(6, 1, 1, 0)]),
                            counted(OTHER, [line(4, 1, 1, 0)]))
        self.assertEqual((read.branches.covered, read.branches.all), (1, 2))
        from_name = self.figures(counted(JUDGED, [line(7, 1, 1, 0)]))
        self.assertEqual((from_name.branches.covered, from_name.branches.all), (1, 2))

    def test_a_figure_under_its_target_is_said(self):
        read = self.figures(counted(JUDGED, [line(4, 0, 1, 0)]))
        said = coverage.complaints(read, {}, False)
        self.assertRegex(said[0], r"^branches of src/common/stats: 50.0 % \(1 of 2\), at least 95 % are wanted$")
        self.assertRegex(said[1], r"^lines: 0.0 % \(0 of 1\), at least 90 % are wanted$")
        self.assertEqual(len(coverage.complaints(read, {}, True)), 1)
        good = self.figures(counted(JUDGED, [line(4, 1, 1, 1)]))
        self.assertEqual(coverage.complaints(good, {}, False), [])

    def test_what_no_test_enters_is_listed_and_what_is_listed_is_there(self):
        read = self.figures(counted(OTHER, [line(1, 1)], [(1, "f", 0), (9, "g", 3)]))
        self.assertRegex(coverage.complaints(read, {}, False)[0], r"^server/main.c: no test enters f\(\): ")
        self.assertEqual(coverage.complaints(read, {(OTHER, "f"): "no machine has it"}, False), [])
        gone = {(OTHER, "f"): "no machine has it", (OTHER, "h"): "is gone"}
        self.assertRegex(coverage.complaints(read, gone, False)[0], r"names h\(\), which isn't there$")

    def test_a_line_that_is_not_run_is_of_a_kind_or_is_listed(self):
        path = self.root / OTHER
        path.write_text("f()\nreturn err_set(e, \"out of memory\");\nreturn err_set(e, strerror(1));\ngoto out;\n"
                        "check_fail();\nx = 1;\ng()\nx = 2;\n", encoding="utf-8")
        read = self.figures(counted(OTHER, [line(n, 0) for n in range(2, 9)], [(1, "f", 1), (7, "g", 0)]))
        self.assertEqual(read.kinds, {"memory": 1, "refusal": 1, "way out": 1, "bug": 1, "other": 1,
                                      "never entered": 2})
        self.assertEqual(coverage.others(read), [f"- {OTHER}: `f` 1"])

    def test_the_list_names_functions_that_the_sources_have(self):
        left = coverage.read_left(coverage.LEFT.read_text(encoding="utf-8"))
        for (path, name), reason in left.items():
            made = name.removesuffix("_name")  # by a macro of base/names.h
            text = (SOURCE / path).read_text(encoding="utf-8")
            self.assertTrue(re.search(rf"\b{name}\(|^ENUM_\w+\({made},", text, re.M), name)
            self.assertTrue(reason, name)

    def test_the_page_says_command_figures_and_reasons(self):
        read = self.figures(counted(OTHER, [line(1, 1)], [(1, "f", 0), (9, "g", 3)]))
        page = coverage.page(read, {(OTHER, "f"): "no machine has it"}, "bash x")
        self.assertIn("functions entered 1 of 2", page)
        self.assertIn("```sh\nbash x\n```", page)
        self.assertIn("| server | 1 | 1 | 100.0 |", page)
        self.assertIn("- no machine has it: `f` (server/main.c).", page)

    def test_exit_and_words_of_the_command(self):
        document = self.root / "c.json"
        document.write_text(json.dumps({"files": [counted(JUDGED, [line(1, 0, 1, 0)])]}), encoding="utf-8")
        run = subprocess.run([sys.executable, "-B", SCRIPTS / "coverage.py", document, "--short"], text=True,
                             capture_output=True, check=False)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertTrue(re.search(r"^src/common/stats +0.0 % \(0 of 1\)$", run.stdout, re.M), run.stdout)
        for words in (["long"], ["short", "twice"]):
            run = subprocess.run(["bash", SCRIPTS / "coverage.sh", *words], text=True, capture_output=True, check=False)
            self.assertEqual((run.returncode, run.stderr), (2, "usage: coverage.sh [short] [--write]\n"))


if __name__ == "__main__":
    unittest.main()
