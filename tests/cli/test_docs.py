# SPDX-License-Identifier: Apache-2.0
"""The pages are true: what they link to and name exists, all of them can be found from docs/README.md, and what is
written from the program's own tables is today's. What the source's comments name exists, too."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
sys.path.insert(0, str(SOURCE / "scripts"))
import lint_floors  # noqa: E402

BIN = pathlib.Path(os.environ["SOAK_BUILD"]) / "bin"
COLUMNS, CELL = 120, 110
PAGES = sorted(path for pattern in ("*.md", "docs/**/*.md", "bench/*.md", "results/*.md", "results/baselines/*.md",
                                    ".github/*.md") for path in SOURCE.glob(pattern))
DOCS = [page for page in PAGES if page.is_relative_to(SOURCE / "docs")]
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
# A path or a file's name, perhaps with a line.
FILE = re.compile(r"[\w.*/-]+\.(?:c|h|py|sh|def|md|cmake|soak|inc|yml|json|jsonl|svg|gz|folded|log|xml|txt)(?::\d+)?")
# Where a page may look from: a room of the source is named as an #include names it.
ROOTS = ("", "src/common", "src", "src/soak", "scenarios", "tests", "tests/unit")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LIBC = {"dl_find_object"}  # structures of libc that the source does without
SOURCES = ("src", "server", "client", "footprint", "tests", "bench", "examples")
# What a run or a build makes, and what belongs to others.
MADE = set("""result.json suite.json compare.json bisect.json manifest.json samples.jsonl shortest.json unfinished.json
server.log client.log survivors.svg survivors.pb.gz survivors.folded junit.xml lib.json compare_csv.c src/soak/compare/compare_csv.c setup.log check.log compile_commands.json
.json .md .soak junit-K-of-N.xml noun.h noun.c noun_internal.h""".split())
FOREIGN = ("ssl3_", "crypto/", "ssl/", "src/ssl.c", "build/", "results/runs/", "results/compare/", "~/", "/")
# Options of other programs that a page names.
OTHERS = {"--rm", "--cacert", "--no-verify", "--preset", "--install", "--build", "--prefix", "--target",
          "--label-regex"}


def read(page):
    return page.read_text(encoding="utf-8")


def name(page):
    return str(page.relative_to(SOURCE))


def prose(text):
    return FENCE.sub("", text)


def anchors(page):
    """As GitHub makes them of the headings."""
    seen = set()
    for heading in re.findall(r"^#+ (.*)$", prose(read(page)), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", LINK.sub(lambda m: m[0][1:m[0].index("]")], heading).lower()).replace(" ", "-")
        seen.add(slug if slug not in seen else f"{slug}-1")
    return seen


def links(page):
    """Yields (where a relative link leads, its anchor)."""
    for target in LINK.findall(prose(read(page))):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


def is_test(file, test):
    """Whether a file of tests of that name has it: a Python test, a cmocka test, or a table of cases."""
    found = [path for folder in ("cli", "integration", "faults", "unit", "fuzz") for path in (SOURCE / "tests" / folder).rglob(file)]
    return bool(found) and (not test or any(re.search(rf"^( *def {test}\(|static void {test}\(|{test} = )", read(path), re.M)
                                            for path in found))


def said_controls(text):
    """Yields of decision.md each rule, and what its paragraphs or its item say of its controls."""
    rule = None
    for part in re.split(r"\n\n|\n(?= *- )", text):
        begins = re.match(r"(?: *- )?(?:\*\*)?([A-Z_]{3,})(?:\.\*\*|:)|#", part)
        rule = begins[1] if begins else rule
        if rule:
            yield from ((rule, said) for said in re.findall(r"\*Controls?:\*([^.]*)", part))


def tabled_controls():
    """{(control, its rule, or what stands for none)}, as the tests of the judge and of comparisons have them."""
    stats = SOURCE / "tests/unit/stats"
    compare = read(stats / "compare/test_compare.c")
    return {pair for text, row in ((read(stats / "judge/test_judge.c"), r'\{"(\w+)",\s+\w+,\s+RULE_(\w+),'),
                                   (compare, r" C\((\w+), RULE_?(\w+),"), (compare, r"\{(\w+), COMPARE_RULE_(\w+)\}"))
            for pair in re.findall(row, text)}


def known_options():
    said = subprocess.run([BIN / "soak", "--man"], text=True, capture_output=True, check=True).stdout
    said = said.replace("\\-", "-").replace("\\fB", "")
    said += subprocess.run([BIN / "soak", "list", "behaviours"], text=True, capture_output=True, check=True).stdout
    known = {f"--{word}" for word in re.findall(r"^  ([a-z0-9-]+) ", said, re.MULTILINE)}
    for program in ("soak-server", "soak-client", "soak-footprint"):
        said += subprocess.run([BIN / program, "--help"], text=True, capture_output=True, check=True).stdout
    for script in (*SOURCE.glob("scripts/*.*"), *SOURCE.glob("bench/*.py"), *SOURCE.glob("tests/mutation/*.py")):
        said += read(script)
    return known | set(OPTION.findall(said)) | OTHERS | {"--help", "--man", "--version", "--name", "--option"}


class Docs(unittest.TestCase):
    def nothing(self, found):
        if found:
            self.fail("\n" + "\n".join(found))

    def test_every_link_leads_somewhere(self):
        self.nothing([f"{name(page)}: {path} isn't there" for page in PAGES for path, _ in links(page)
                      if not path.exists()])

    def test_every_anchor_is_a_heading(self):
        self.nothing([f"{name(page)}: {name(path)} has no heading #{anchor}" for page in PAGES
                      for path, anchor in links(page)
                      if anchor and path.suffix == ".md" and path.exists() and anchor not in anchors(path)])

    def test_every_page_is_reachable_from_the_index(self):
        index = SOURCE / "docs/README.md"
        found, left = {index}, [index]
        while left:
            for path, _ in links(left.pop()):
                if path in DOCS and path not in found:
                    found.add(path)
                    left.append(path)
        self.nothing([f"{name(page)}: docs/README.md doesn't lead to it" for page in DOCS if page not in found])

    def test_files_that_are_named_exist(self):
        tracked = {path.name for path in SOURCE.rglob("*") if ".git" not in path.parts}
        missing = []
        for page in PAGES:
            for word in CODE.findall(prose(read(page))):
                if not FILE.fullmatch(word) or word.startswith(FOREIGN) or word in MADE:
                    continue
                path = word.partition(":")[0].removeprefix("./")
                there = any(any((SOURCE / root).glob(path)) for root in (*ROOTS, page.parent.relative_to(SOURCE)))
                if not there and ("/" in path or path not in tracked):
                    missing.append(f"{name(page)}: there is no {word}")
        self.nothing(missing)

    def test_options_that_are_named_exist(self):
        known = known_options()
        unknown = []
        for page in PAGES:
            text = read(page)
            words = [word for word in CODE.findall(prose(text)) if word.startswith("--") or "soak" in word]
            words += [line for block in FENCE.findall(text) for line in block.splitlines()
                      if re.search(r"(^|[ /$])soak ", line) and "git clone" not in line]
            unknown += [f"{name(page)}: no program knows {option}" for word in words for option in OPTION.findall(word)
                        if option not in known]
        self.nothing(unknown)

    def test_controls_and_other_names_of_the_code_exist(self):
        """What decision.md calls by its name in the source: each rule, its controls, the tests."""
        source = "\n".join(read(path) for folder in ("src", "tests") for path in sorted((SOURCE / folder).rglob("*"))
                           if path.suffix in (".c", ".h", ".def", ".py"))
        words = set(re.findall(r"\w+", source))
        text = prose(read(SOURCE / "docs/decision.md"))
        named = {word for word in CODE.findall(text) if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", word)}
        for controls in re.findall(r"\*Controls?:\*(.*?)\n\n", text + "\n\n", re.DOTALL):
            named |= set(re.findall(r"`([a-z_]+)`", controls))
        rules = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", text)) - {"SSL_CTX", "SSL_SESSION", "EVP_PKEY"}
        self.nothing([f"docs/decision.md: there is no {word}" for word in sorted((named | rules) - words)
                      if f"RULE_{word}" not in words and f"COMPARE_RULE_{word}" not in words])

    def test_the_controls_of_each_rule_are_those_that_need_it(self):
        """The tests switch off the rule that their tables name: what follows a semicolon must only stay as it is."""
        tabled, said, stay = tabled_controls(), set(), set()
        for rule, words in said_controls(prose(read(SOURCE / "docs/decision.md"))):
            need, _, others = words.partition(";")
            said |= {(control, rule) for control in CODE.findall(need)}
            stay |= set(CODE.findall(others))
        need = {(control, rule) for control, rule in tabled if rule not in ("COUNT", "S")}
        self.nothing([f"docs/decision.md: no test says that {control} needs {rule}" for control, rule in sorted(said - need)]
                     + [f"docs/decision.md: {control} isn't among the controls of {rule}"
                        for control, rule in sorted(need - said)]
                     + [f"docs/decision.md: {control} is no case" for control in sorted(stay - {case for case, _ in tabled})])

    def test_each_line_of_security_has_tests_that_exist(self):
        text = read(SOURCE / "docs/reference/security.md")
        could_try = re.findall(r"^\|.*?\| (to .*?|the same .*?) \|", text, re.MULTILINE)
        tested = re.findall(r"^- \*(.*?)\*:\s+(?:`\w+\.(?:py|c)|none)", text, re.MULTILINE)
        self.assertGreater(len(could_try), 20)
        self.assertEqual(set(could_try), set(tested))
        missing = [f"docs/reference/security.md: no test {file}::{test}"
                   for file, test in re.findall(r"`([a-z]\w+\.(?:py|c))(?:::(\w+))?`", text)
                   if not is_test(file, test)]
        self.nothing(missing)
        self.assertFalse(is_test("test_docs.py", "test_that_nobody" + "_wrote") or is_test("test_nowhere.c", ""))

    def test_shared_folders_are_written_by_mkdtemp_alone(self):
        """Whatever has a name below /tmp or /dev/shm: src/common/base/scratch.c makes it, and a perf map is only read."""
        self.nothing([f"{name(path)}: {line.strip()}" for room in ("src", "server", "client", "footprint")
                      for path in sorted((SOURCE / room).rglob("*.[ch]")) for line in read(path).splitlines()
                      if re.search(r'"/(tmp|dev/shm|var/tmp)\b', line)
                      and path.name not in ("perf_map.c", "scratch.c")])

    def test_scenarios_that_are_shown_are_taken(self):
        for page in PAGES:
            for block in re.findall(r"^```ini\n(#.*?)^```$", read(page), re.MULTILINE | re.DOTALL):
                with tempfile.NamedTemporaryFile("w", suffix=".soak") as file:
                    file.write(block)
                    file.flush()
                    result = subprocess.run([BIN / "soak", "show", file.name], text=True, capture_output=True,
                                            check=False)
                    self.assertEqual(result.returncode, 0, f"{name(page)}: {result.stderr}")

    def test_lines_fit_a_window_and_cells_a_glance(self):
        pages = DOCS + [SOURCE / page for page in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
        self.nothing([f"{name(page)}:{number}: {len(line)} columns" for page in pages if page.exists()
                      for number, line in enumerate(read(page).splitlines(), 1)
                      if len(line) > COLUMNS and not line.startswith(("![", "|"))])
        self.nothing([f"{name(page)}:{number}: a cell of {len(cell)} characters" for page in pages if page.exists()
                      for number, line in enumerate(read(page).splitlines(), 1) if line.startswith("|")
                      for cell in line.split("|") if len(cell) > CELL])

    @unittest.skipUnless((BIN / "libsoakprobe.so").exists(), "a build with sanitizers has another allocator by default")
    def test_the_page_of_options_is_todays(self):
        man = subprocess.run([BIN / "soak", "--man"], text=True, capture_output=True, check=True).stdout
        page = subprocess.run([sys.executable, SOURCE / "scripts/options_md.py"], input=man, text=True,
                              capture_output=True, check=True).stdout
        self.assertEqual(page, read(SOURCE / "docs/reference/options.md"),
                         "build/bin/soak --man | python3 scripts/options_md.py >docs/reference/options.md")

    def test_the_exit_codes_are_those_of_help(self):
        said = subprocess.run([BIN / "soak", "--help"], text=True, capture_output=True, check=True).stdout
        line = re.search(r"^Exit: .*(?:\n.*)?\.$", said, re.MULTILINE)[0]
        page = read(SOURCE / "docs/reference/exit-codes.md")
        self.assertEqual(re.findall(r"^\| (\d+) \|", page, re.MULTILINE), re.findall(r"\b(\d+) [A-Za-z]", line))

    def test_the_floors_are_those_of_the_linter(self):
        page = read(SOURCE / "docs/internals/architecture.md")
        rows = re.findall(r"^\| `([^`]+)` \| .* \| (.*) \|$", page, re.MULTILINE)
        told = {folder.rstrip("/"): set(CODE.findall(below)) for folder, below in rows}
        self.assertEqual(told, {
            folder: allowed - (lint_floors.FLOORS if folder.startswith("src/soak/") else set())
            for folder, allowed in lint_floors.MAY_INCLUDE.items()}, "scripts/lint_floors.py")

    def test_each_folder_of_the_clone_has_its_line(self):
        page = read(SOURCE / "docs/internals/architecture.md")
        told = set(re.findall(r"^\| `([^`]+)/` \|", page, re.MULTILINE))
        folders = [path for path in (*SOURCE.glob("tests/*"), *map(SOURCE.joinpath, SOURCES)) if path.is_dir()]
        self.nothing([f"docs/internals/architecture.md has no line for {name(path)}" for path in folders
                      if path.name not in ("src", "tests", "__pycache__") and name(path) not in told])


class Comments(unittest.TestCase):
    """The names in the source's comments, as far as a name can be told from prose."""

    @classmethod
    def setUpClass(cls):
        files = [path for folder in SOURCES for pattern in ("*.c", "*.h") for path in (SOURCE / folder).rglob(pattern)]
        cls.comments = [(path, comment) for path in files for comment in COMMENT.findall(read(path))]
        cls.code = {}  # the words of a folder's code
        for path in files:
            cls.code.setdefault(path.parent, set()).update(re.findall(r"\w+", COMMENT.sub("", read(path))))

    def each_exists(self, pattern, exists):
        """`pattern` has one group, or is made for a file."""
        missing = []
        for path, comment in self.comments:
            for word in re.findall(pattern(path) if callable(pattern) else pattern, comment):
                if not exists(path, word):
                    missing.append(f"{name(path)}: there is no {word}")
        self.assertEqual(missing, [])

    def test_files_that_are_named_exist(self):
        """Those of others are named with their folder."""
        tracked = {path.name for folder in SOURCES for path in (SOURCE / folder).rglob("*.[ch]")}
        self.each_exists(r"(?<![\w./<\"-])([\w-]+\.[ch])\b", lambda _, word: word in tracked)

    def test_functions_of_the_own_module_exist(self):
        def of_module(path):
            return rf"(?<![\w./<-])({path.stem.removesuffix('_internal')}_[a-z0-9_]+)\b(?!\.)"

        self.each_exists(of_module, lambda path, word: word in self.code[path.parent])

    def test_types_that_are_named_exist(self):
        all_words = set().union(*self.code.values())
        self.each_exists(r"\b(?:[Ee]num|[Ss]truct) ([a-z]\w*_\w+)", lambda _, word: word in all_words | LIBC)


if __name__ == "__main__":
    unittest.main()
