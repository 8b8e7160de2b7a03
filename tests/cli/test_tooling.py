# SPDX-License-Identifier: Apache-2.0
"""What a contributor opts into: each preset configures, the pre-commit hook looks at what is staged, a tool's --help
is no folder, and what is chosen by name is there."""

import importlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
PRESETS = json.loads((SOURCE / "CMakePresets.json").read_text(encoding="utf-8"))
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"


class Presets(unittest.TestCase):
    def configure(self, preset, build):
        result = subprocess.run(["cmake", "--preset", preset["name"], "-B", build], cwd=SOURCE, text=True,
                                capture_output=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return (pathlib.Path(build) / "CMakeCache.txt").read_text(encoding="utf-8")

    def test_each_configures_with_what_it_promises(self):
        shown = [preset for preset in PRESETS["configurePresets"] if not preset.get("hidden")]
        self.assertEqual({preset["name"] for preset in shown},
                         {"dev", "asan", "tsan", "coverage", "fuzz", "release"})
        for preset in shown:
            with self.subTest(preset["name"]), tempfile.TemporaryDirectory() as build:
                compiler = preset.get("environment", {}).get("CC", "cc")
                if not shutil.which(compiler):
                    self.skipTest(f"{compiler} is not installed (scripts/needs.txt)")
                cache = self.configure(preset, build)
                for name, value in preset["cacheVariables"].items():
                    self.assertRegex(cache, rf"(?m)^{name}:\w+={value}$")


# Prints how many cases of argv[1], a module, have a name with each of the words after it.
COUNT = """
import sys, unittest
for word in sys.argv[2:]:
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*"]
    print(loader.loadTestsFromName(sys.argv[1]).countTestCases())
"""


class Short(unittest.TestCase):
    def test_each_pattern_of_the_short_set_chooses_a_case(self):
        """unittest runs what any of its patterns chooses, and is silent about one that chooses nothing."""
        folder = SOURCE / "tests/integration"
        chosen = re.findall(r"soak_short\((\w+) ([\w ]+)\)", (folder / "CMakeLists.txt").read_text(encoding="utf-8"))
        self.assertGreater(len(chosen), 5)
        environment = {"SOAK_BIN": str(pathlib.Path(os.environ["SOAK_BUILD"]) / "bin"), **os.environ}
        for name, patterns in chosen:
            done = subprocess.run([sys.executable, "-B", "-c", COUNT, f"test_{name}", *patterns.split()], cwd=folder,
                                  env=environment, text=True, capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            counts = dict(zip(patterns.split(), done.stdout.split()))
            self.assertNotIn("0", counts.values(), f"soak_short({name}): {counts}")


MADE = """
cmake_minimum_required(VERSION 3.22)
project(made C)
enable_testing()
include(tests.cmake)
add_executable(loses loses.c)
add_executable(overflows overflows.c sanitized.c)
add_compile_options(-g)
foreach(program loses overflows)
    target_compile_options(${program} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=all)
    target_link_options(${program} PRIVATE -fsanitize=address,undefined)
    soak_test(short.${program} slow sh -c "$<TARGET_FILE:${program}> 2>&- || true")
endforeach()
soak_test(short.sound slow true)
foreach(target programs make-certs crash-at-free)
    add_custom_target(${target} DEPENDS loses overflows)
endforeach()
"""
LOSES = """
#include <stdlib.h>
static void *volatile kept;
int main(void)
{
    kept = malloc(77);
    kept = NULL;
    return 0;
}
"""
OVERFLOWS = """
#include <limits.h>
int main(int argc, char **argv)
{
    volatile int most = INT_MAX, sum = most + argc;
    return !argv[0] && sum;
}
"""


class Sanitized(unittest.TestCase):
    def test_a_report_fails_a_test_that_asks_nothing_of_its_process(self):
        """scripts/sanitize.sh over a tree of two programs, each started by a shell that says that all is well."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            (root / "scripts").mkdir()
            for name in ("sanitize.sh", "tally.py", "sanitizers.py"):
                shutil.copy(SOURCE / "scripts" / name, root / "scripts")
            for name in ("CMakePresets.json", "cmake/tests.cmake", "src/common/base/sanitized.c"):
                shutil.copy(SOURCE / name, root)
            for name, text in (("CMakeLists.txt", MADE), ("loses.c", LOSES), ("overflows.c", OVERFLOWS)):
                (root / name).write_text(text, encoding="utf-8")
            done = subprocess.run(["bash", root / "scripts/sanitize.sh", "address", "short"], text=True,
                                  capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (1, "1 passed, 2 failed"),
                             done.stdout + done.stderr)
            self.assertIn("LeakSanitizer: detected memory leaks", done.stdout)
            self.assertRegex(done.stdout, r"in main \S*/overflows.c:5")


class Lint(unittest.TestCase):
    def test_it_refuses_other_words_before_it_begins(self):
        for words in (("x",), ("each",), ("deep", "x")):
            process = subprocess.run(["bash", SOURCE / "scripts/lint.sh", *words], text=True, capture_output=True,
                                     check=False)
            self.assertEqual((process.returncode, process.stdout, process.stderr), (2, "", "usage: lint.sh [deep]\n"))


    def test_what_is_skipped_is_counted_and_nothing_else_is_no_success(self):
        """The deep checks by compilers of these versions, in a tree of stubs."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "scripts").mkdir()
            shutil.copy(SOURCE / "scripts/lint.sh", root / "scripts")
            (root / "scripts/setup.sh").write_text("exit 0\n", encoding="utf-8")
            (root / "scripts/analyze.py").write_text("import os, sys\nsys.exit(int(os.environ['CODE']))\n", encoding="utf-8")
            for gcc, tidy, fails, code, last in (("12", "14.0.6", "0", 0, "2 passed, 0 failed"),
                                                 ("12", "14.0.6", "1", 1, "0 passed, 2 failed"),
                                                 ("13", "14.0.6", "0", 0, "1 passed, 0 failed, 1 skipped"),
                                                 ("12", "18.1.3", "1", 1, "0 passed, 1 failed, 1 skipped"),
                                                 ("13", "18.1.3", "0", 77, "0 passed, 0 failed, 2 skipped")):
                for name, version in (("cc", gcc), ("clang-tidy", f"LLVM version {tidy}")):
                    (root / name).write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
                    (root / name).chmod(0o755)
                done = subprocess.run(["bash", root / "scripts/lint.sh", "deep"], text=True, capture_output=True, check=False,
                                      env={**os.environ, "CODE": fails, "PATH": f"{root}:{os.environ['PATH']}"})
                self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (code, last), done.stdout + done.stderr)


class Analyze(unittest.TestCase):
    """scripts/analyze.py in a tree of one file, by a clang-tidy that says what it is told to."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        for name in ("scripts", "src", "build", "bin"):
            (self.root / name).mkdir()
        shutil.copy(SOURCE / "scripts/analyze.py", self.root / "scripts")
        (self.root / "src/a.c").write_text("int declared(int a);\n\nint slips(int a)\n{\n    return declared(a);\n}\n\n"
                                           "static int slips_too(int a,\n                     int b)\n{\n"
                                           "    return a / b;\n}\n", encoding="utf-8")
        entry = {"file": str(self.root / "src/a.c"), "command": "cc -c a.c -o a.o", "directory": str(self.root)}
        (self.root / "build/compile_commands.json").write_text(json.dumps([entry]), encoding="utf-8")
        (self.root / "bin/clang-tidy").write_text('#!/bin/sh\necho "$SAID"\n', encoding="utf-8")
        (self.root / "bin/clang-tidy").chmod(0o755)

    def said(self, text, excused, tool="clang-tidy"):
        (self.root / "scripts/tidy.txt").write_text(excused, encoding="utf-8")
        done = subprocess.run([sys.executable, self.root / "scripts/analyze.py", *tool.split()], capture_output=True,
                              text=True, check=False, env={**os.environ, "SAID": text,
                                                           "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"})
        return done.returncode, done.stdout + done.stderr

    def test_what_the_list_excuses_is_counted_and_all_else_told(self):
        slip = f"{self.root}/src/a.c:4:1: warning: a slip [bugprone-slip]"
        listed = "// It isn't one.\nbugprone-slip:src/a.c:slips\n"
        for text, excused, code, told in (
                (slip, "", 1, "src/a.c:4: a slip [bugprone-slip] in slips\n"
                              "1 files, 0 without a word, 0 warnings that are wrong"),
                (slip, listed, 0, "1 files, 0 without a word, 1 warnings that are wrong"),
                ("", "", 0, "1 files, 1 without a word, 0 warnings that are wrong"),
                ("", listed, 1, "scripts/tidy.txt: bugprone-slip:src/a.c:slips is no longer said: take it off\n"
                                "1 files, 1 without a word, 0 warnings that are wrong"),
                (slip, "bugprone-slip:src/a.c:slips\n", 1,
                 "tidy.txt: bugprone-slip:src/a.c:slips has no reason before it")):
            with self.subTest(text=text, excused=excused):
                self.assertEqual(self.said(text, excused), (code, told + "\n"))

    def test_one_that_is_wrong_excuses_none_beside_it(self):
        slips = {line: f"{self.root}/src/a.c:{line}:1: warning: a slip [bugprone-slip]" for line in (4, 5, 11)}
        listed = "// It isn't one.\nbugprone-slip:src/a.c:slips\n"
        for lines, excused, told in (
                ((4, 5), listed, ("src/a.c:4: a slip [bugprone-slip] in slips", "src/a.c:5: a slip [bugprone-slip] in slips")),
                ((4, 11), listed, ("src/a.c:11: a slip [bugprone-slip] in slips_too",)),
                ((4, 5), listed + "bugprone-slip:src/a.c:slips\n", ()),
                ((4, 4), listed, ()),
                ((4,), listed + "bugprone-slip:src/a.c:slips\n",
                 ("scripts/tidy.txt: bugprone-slip:src/a.c:slips is no longer said so often: take it off",))):
            with self.subTest(lines=lines, excused=excused):
                code, output = self.said("\n".join(slips[line] for line in lines), excused)
                self.assertEqual((code, tuple(output.splitlines()[:-1])), (1 if told else 0, told))

    def test_another_tool_is_refused(self):
        for words in ("", "lint"):
            self.assertEqual(self.said("", "", words), (2, "usage: analyze.py gcc|clang-tidy [FILE...]\n"))


class Screenshots(unittest.TestCase):
    def test_help_is_help_and_makes_no_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            for words, code in ((["--help"], 0), (["--widths"], 1), ([], 1)):
                process = subprocess.run([sys.executable, SOURCE / "scripts/screenshots.py", *words], cwd=folder,
                                         text=True, capture_output=True, check=False)
                self.assertEqual((process.returncode, os.listdir(folder)), (code, []), process.stderr)
                self.assertIn("screenshots.py FOLDER [PAGE...]", process.stdout + process.stderr)


class Mutation(unittest.TestCase):
    def test_each_equivalent_mutant_is_one_of_a_line_that_stands(self):
        sys.path.insert(0, str(SOURCE / "tests/mutation"))
        judge = importlib.import_module("judge")
        mutants = {judge.key_of(m) for path in judge.STATS.rglob("*.c") for m in judge.mutants_of(path, path.read_text())}
        self.assertEqual(judge.explained() - mutants, set())


class Hook(unittest.TestCase):
    """In a repository of its own, with this one's linters."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "scripts").mkdir()
        for path in (SOURCE / "scripts").glob("lint_*.py"):
            shutil.copy(path, self.root / "scripts")
        shutil.copy(SOURCE / "scripts/pre-commit", self.root / "scripts")
        shutil.copy(SOURCE / ".clang-format", self.root)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        self.environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
                             "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@localhost",
                             "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@localhost"}
        self.git("init", "--quiet")
        os.symlink("../../scripts/pre-commit", self.root / ".git/hooks/pre-commit")
        self.git("add", "--all")

    def git(self, *words):
        return subprocess.run(["git", *words], cwd=self.root, env=self.environment, text=True, check=True,
                              capture_output=True)

    def commit(self):
        return subprocess.run(["git", "commit", "--quiet", "-m", "scripts: try"], cwd=self.root,
                              env=self.environment, text=True, check=False, capture_output=True)

    def stage(self, text):
        (self.root / "try.c").write_text(text, encoding="utf-8")
        self.git("add", "try.c")

    def refused(self, why):
        result = self.commit()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(why, result.stderr)

    def test_a_sound_commit_passes_in_silence(self):
        self.stage(SPDX + "int x;\n")
        result = self.commit()
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))

    @unittest.skipUnless(shutil.which("clang-format"), "no clang-format")
    def test_layout_is_checked(self):
        self.stage(SPDX + "int  x ;\n")
        self.refused("clang-format -i")

    def test_a_missing_licence_is_told(self):
        self.stage("int x;\n")
        self.refused("try.c: no 'SPDX-License-Identifier: Apache-2.0' in its first three lines")

    def test_a_wide_line_of_cmake_is_told(self):
        (self.root / "CMakeLists.txt").write_text(SPDX.replace("/*", "#").replace(" */", "") + "#" * 101,
                                                  encoding="utf-8")
        self.git("add", "CMakeLists.txt")
        self.refused("CMakeLists.txt:2: 101 columns, at most 100")

    def test_what_is_staged_counts_not_what_lies_there(self):
        self.stage("int x;\n")
        (self.root / "try.c").write_text(SPDX + "int x;\n", encoding="utf-8")
        self.refused("try.c: no 'SPDX")
        self.stage(SPDX + "int x;\n")
        (self.root / "try.c").write_text("int x;\n", encoding="utf-8")
        self.assertEqual(self.commit().returncode, 0)

    def test_a_deleted_file_is_not_looked_at(self):
        self.stage(SPDX + "int x;\n")
        self.assertEqual(self.commit().returncode, 0)
        self.git("rm", "--quiet", "try.c")
        self.assertEqual(self.commit().returncode, 0)


if __name__ == "__main__":
    unittest.main()
