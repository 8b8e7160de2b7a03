# SPDX-License-Identifier: Apache-2.0
"""README and tutorial are true: every command in their blocks is run as a reader runs it, in a clone
that is built, one after the other. Its exit code is the one that the page says (`# exit 1`; else 0),
and what the page shows of its output is there, in that order, but for figures, which are another run's.

A block is `sh`, commands alone, or `console`, commands behind `$ ` with their output; a line that is
only `…` stands for what was left out. `test_entrance.py --write` puts today's output into both pages;
scripts/pictures.sh makes the pictures anew."""

import difflib
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from patience import PATIENCE_S

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
PAGES = ("README.md", "docs/tutorial.md")
PICTURES = SOURCE / "docs" / "images"
README_LINES, PICTURE_BYTES = 130, 150_000
# What a page may ask its reader to run; anything else needs a decision here first.
PROGRAMS = {"./soak", "ls"}
# Goes to a distribution's servers as soon as its line is good.
FETCHES = "./soak libs add "
OMISSION = "…"

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = r"(?<![\w#])[+-]?\d+(?:[.,]\d+)*\w*"
UNIT = r"(?: (?:B|[KMGT]iB|ms|µs|%)(?!\w))?(?:/\w+)?"
CHANCE = [
    # Whether a few pages are noise depends on the machine's other load, and so does the rate that it makes.
    (r"\b(RSS|heap, pages)\b.*?(?:not judged(?:, noisy)?|by these blocks|level(?:, net of allocated)?|unsure|GROWS)",
     r"\1"),
    (r"; only \S+ of \S+?\)", ")"),
    (r"--seed \w+", "--seed #"),
    (rf"{NUMBER}(?: ±{NUMBER})?{UNIT}", "#"),
    (r"#,(?= #|$)", "#"),
    (r"#(?: #)+", "#"),
]


def shape(text):
    """The text without what chance decides: one line, with # for each figure or list of figures."""
    text = " ".join(text.split())
    for pattern, replacement in CHANCE:
        text = re.sub(pattern, replacement, text)
    return text


def is_of_this_machine(line):
    """A frame in a library of the system: its offset, and the package with its symbols."""
    return ".so." in line


class Sample:
    """A command with what its page shows of it."""

    def __init__(self, place, line):
        self.place = place
        self.line = line
        command, _, comment = line.partition("  #")
        self.command = command.strip()
        said = re.search(r"\bexit (\d+)", comment)
        self.exit = int(said[1]) if said else 0
        self.shown = []

    def missing(self, output):
        """The first line that the output doesn't have after those before it, or None."""
        rest = shape(output)
        for line in self.shown:
            piece = shape(line)
            if piece in ("", OMISSION) or is_of_this_machine(line):
                continue
            at = rest.find(piece)
            if at < 0:
                return line
            # A list of figures goes on in the next line.
            rest = rest[at + len(piece) - piece.endswith("#"):]
        return None

    def today(self, output):
        """What to show of this output: the stretches between omissions, from the line that is most like
        their first to the one most like their last."""
        lines, at, shown = output.rstrip("\n").split("\n"), 0, []
        for omitted, stretch in itertools.groupby(self.shown, lambda line: line.strip() == OMISSION):
            stretch = list(stretch)
            if not omitted:
                first = nearest(lines, stretch[0], at)
                at = nearest(lines, stretch[-1], first) + 1
                stretch = lines[first:at]
            shown += stretch
        return shown


def nearest(lines, line, start):
    """The number of the line that is most like this one."""
    def likeness(i):
        return difflib.SequenceMatcher(None, shape(lines[i]), shape(line)).ratio()
    return max(range(start, len(lines)), key=likeness)


def samples_of_block(place, kind, text):
    samples = []
    for line in text.splitlines():
        if kind == "sh":
            samples.append(Sample(place, line))
        elif line.startswith("$ "):
            samples.append(Sample(place, line[2:]))
        else:
            samples[-1].shown.append(line)
    return samples


def samples_of(page):
    text = (SOURCE / page).read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        place = f"{page}:{text.count(chr(10), 0, block.start()) + 1}"
        assert block[1] in ("sh", "console"), f"{place}: a block is sh or console, not '{block[1]}'"
        yield from samples_of_block(place, block[1], block[2])


def rows_of(picture):
    """The lines of text in a picture of a terminal."""
    rows = {}
    for text in xml.etree.ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text"):
        rows.setdefault(int(text.get("y")), []).append(text.text)
    return ["  ".join(parts) for _, parts in sorted(rows.items())]


def frames_of(picture):
    """The program's own functions in a flame graph, from the outermost in, each with its file."""
    texts = ("  ".join(group.itertext()) for group in
             xml.etree.ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}g"))
    return [found.groups() for found in (re.search(r"^(\w+)\s+((?:server|src)/\S+):\d+", text)
                                         for text in texts) if found]


class Reader:
    """Somebody with a clone that is built, who types one command after the other."""

    def __init__(self, folder):
        self.clone = folder
        self.done = {}
        for entry in SOURCE.iterdir():
            if entry.name not in ("soak", "build", "results"):
                (folder / entry.name).symlink_to(entry)
        shutil.copy(SOURCE / "soak", folder)
        (folder / "results").mkdir()
        (folder / "build").mkdir()
        (folder / "build" / "bin").symlink_to(BUILD / "bin")
        (folder / "build" / ".ready").touch()

    def type(self, command, **environment):
        return subprocess.run(command, shell=True, cwd=self.clone, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                              env=dict(os.environ, SOAK_CACHE=str(self.clone / "cache"), **environment))

    def once(self, command):
        """A page may show a command again; its run, and the folder that it left, are the first's."""
        if command not in self.done:
            process = self.type(command)
            last = self.clone / "results" / "runs" / "last"
            self.done[command] = process, last.resolve()
        return self.done[command]


class Comparison(unittest.TestCase):
    """What is chance in a sample, and what isn't."""

    OUTPUT = ("LEAK  one 64 B block lost per 3.05 connections at server/defect.c:132, in\n"
              "      reset_state_accept\n\n"
              "  why      SSL objects are freed: epochs of 250, 500 connections\n"
              "           kept 71, 116 blocks; not by time\n"
              "  RSS      13.5 MiB  14.3 MiB  too few points  not judged\n")

    def assert_missing(self, expected, *shown):
        sample = Sample("here", "./soak  # LEAK, exit 1")
        sample.shown = list(shown)
        self.assertEqual(sample.missing(self.OUTPUT), expected)
        self.assertEqual((sample.command, sample.exit), ("./soak", 1))

    def test_other_figures_and_breaks_are_the_same(self):
        self.assert_missing(None, "LEAK  one 64 B block lost per 12 connections at", "server/defect.c:9, in",
                            "…", "epochs of 250, 500, 1,000,", "2,000 connections kept 5 blocks",
                            "  RSS  1.5 GiB  2 GiB  +3 ±9 B  -  level")

    def test_another_word_verdict_site_or_order_is_not(self):
        for line in ("PASS  one 64 B block", "block lost per connection", "at server/conn.c:132",
                     "reset_state_close", "by time; not"):
            self.assert_missing(line, line)
        self.assert_missing("LEAK", "not by time", "LEAK")

    def test_a_library_of_this_machine_may_be_another(self):
        self.assert_missing(None, "libuv.so.1.0.0+0x1b40a   no symbols: install libuv1-dbgsym")


class Entrance(unittest.TestCase):
    def reader(self):
        folder = tempfile.TemporaryDirectory(prefix="soak-entrance-")
        self.addCleanup(folder.cleanup)
        return Reader(pathlib.Path(folder.name))

    def assert_shown(self, sample, output):
        missing = sample.missing(output)
        self.assertIsNone(missing, f"{sample.place}: {sample.command} doesn't print this (any more), "
                                   f"or not in this order:\n{missing}\nIt printed:\n{output}")

    def assert_true(self, reader, sample):
        self.assertIn(sample.command.split()[0], PROGRAMS,
                      f"{sample.place}: PROGRAMS of this test doesn't have it: {sample.command}")
        process, _ = reader.once(sample.command)
        self.assertEqual(process.returncode, sample.exit, f"{sample.place}: {sample.command}: the "
                         f"page says so\n{process.stdout}{process.stderr}")
        if sample.command.startswith("ls ") and OMISSION not in sample.shown:  # a file more is news, too
            self.assertEqual(sample.shown, process.stdout.splitlines(), sample.place)
        self.assert_shown(sample, process.stdout)

    def test_each_command_does_what_its_page_shows(self):
        for page in PAGES:
            reader = self.reader()
            samples = list(samples_of(page))
            self.assertTrue(samples, page)
            for sample in samples:
                self.assert_true(reader, sample)
            if page == "README.md":
                self.check_pictures(reader)

    def check_pictures(self, reader):
        """They show the run that README begins with; scripts/pictures.sh makes them anew."""
        prompt, *shown = rows_of(PICTURES / "leak.svg")
        sample = Sample("docs/images/leak.svg", prompt.removeprefix("$").strip())
        sample.shown = shown
        process, folder = reader.once(sample.command)
        self.assert_shown(sample, process.stdout)
        self.assertEqual(frames_of(PICTURES / "flame-graph.svg"), frames_of(folder / "survivors.svg"))

    def test_the_commands_in_tables_are_ones_that_soak_takes(self):
        """Without the other programs it says by 75 that the line is good and needs them. A line that
        would fetch is kept from it by an option too many."""
        reader = self.reader()
        for page in PAGES:
            text = (SOURCE / page).read_text(encoding="utf-8")
            for command in re.findall(r"^\| `(\./soak [^`]+)` \|", text, re.MULTILINE):
                fetches = command.startswith(FETCHES)
                line = command.replace("./soak", str(BUILD / "bin" / "soak"))
                process = reader.type(line + " --too-many" * fetches, SOAK_UNBUILT="1",
                                      SOAK_ROOT=str(reader.clone))
                self.assertIn(process.returncode, (2,) if fetches else (0, 75),
                              f"{page}: {command}: {process.stderr}")
                if fetches:
                    self.assertEqual(process.stderr, "soak: libs: --too-many: no such option\n")

    def test_readme_is_short_and_the_pictures_are_small(self):
        lines = (SOURCE / "README.md").read_text(encoding="utf-8").splitlines()
        self.assertLessEqual(len(lines), README_LINES)
        for picture in PICTURES.glob("*.svg"):
            self.assertLess(picture.stat().st_size, PICTURE_BYTES, picture)


def write():
    """Puts today's output into the pages."""
    for page in PAGES:
        with tempfile.TemporaryDirectory(prefix="soak-entrance-") as folder:
            reader = Reader(pathlib.Path(folder))
            text = (SOURCE / page).read_text(encoding="utf-8")

            def renewed(block):
                lines = []
                for sample in samples_of_block(page, block[1], block[2]):
                    process, _ = reader.once(sample.command)
                    lines += ["$ " + sample.line, *sample.today(process.stdout)]
                return "\n".join([f"```{block[1]}", *lines, "```"]) if block[1] == "console" else block[0]

            (SOURCE / page).write_text(BLOCK.sub(renewed, text), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
