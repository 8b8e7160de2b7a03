#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation testing of the judge: changes src/common/stats in one place at a time and runs the unit tests
of that folder with it. A mutant that no test notices is a rule that no test holds.

    python3 tests/mutation/judge.py [--sample N] [--seed S] [--jobs J] [--file PART] [--again FILE] [--survivors FILE]

Prints killed and survived for each source, and writes the survivors to a file. Those that change nothing
which could be seen are in equivalent.txt, each with its reason, and aren't counted; nor are those of which the
compiler makes the same program. AddressSanitizer sees what no assertion could. Exit 0 when at least
95 % of the others are killed, else 1. Without --sample all of them, which takes hours. Needs no build.
"""

import argparse
import collections
import concurrent.futures
import gzip
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

from mutants import mutants_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATS = ROOT / "src/common/stats"
EQUIVALENT = pathlib.Path(__file__).with_name("equivalent.txt")
TARGET = 0.95
# What reads past an array, if only into the next member of a struct, or frees nothing, no assertion sees.
CHECKED = ["-fsanitize=address,bounds", "-fno-sanitize-recover=bounds"]
COUNTED = ["--coverage", "-O0"]
# Only with a sanitizer's runtime, which the plain flavour has none of.
SANITIZED = {"sanitized.c"}
FLAGS = ["-std=gnu11", "-O1", "-w", "-fPIC", "-D_GNU_SOURCE", f"-I{ROOT}", f"-I{ROOT}/src/common"]
LIBRARIES = ["-lcmocka", "-lm", "-lpthread"]
# Half a minute of simulated runs: what only they notice, no test says.
LEFT_OUT = {"test_judge_runs"}


def run(command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace",
                          check=False, **more)


def need(command, **more):
    done = run(command, **more)
    if done.returncode:
        sys.exit(f"judge.py: {' '.join(map(str, command))}: {(done.stderr or done.stdout)[-2000:]}")
    return done


def name_of(source):
    return str(source.relative_to(STATS))


class Flavour:
    """The folder as a shared library, what it stands on as another, and its tests linked with both: for a
    mutant one object and one library are made, and the programs stay."""

    def __init__(self, folder, flags, sources, jobs):
        self.folder, self.flags, self.tests = folder, flags, tests_of_stats()
        folder.mkdir()
        below = [source for name in ("base", "options") for source in (ROOT / "src/common" / name).glob("*.c")
                 if source.name not in SANITIZED]
        below.append(folder / "version.c")
        below[-1].write_text('const char soak_version[] = "0";\n')
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            self.objects = dict(zip(sources, pool.map(self.compile, sources)))
            self.link(folder / "libbelow.so", pool.map(self.compile, below))
            self.link(folder / "libjudge.so", self.objects.values())
            list(pool.map(self.link_test, self.tests))

    def compile(self, source):
        made = self.folder / f"{source.parent.name}_{source.stem}.o"
        need(["cc", *FLAGS, *self.flags, "-c", source, "-o", made])
        return made

    def link(self, made, objects):
        return need(["cc", "-shared", *self.flags, "-o", made, *objects, "-lm"])

    def link_test(self, test):
        golden = f'-DGOLDEN_DIR="{ROOT}/tests/unit/stats/golden"'
        need(["cc", *FLAGS, *self.flags, golden, test, "-o", self.folder / test.stem, f"-L{self.folder}", "-ljudge",
              "-lbelow", *LIBRARIES])

    def environment(self, first=""):
        """A mutant may take memory without end."""
        return {**os.environ, "LD_LIBRARY_PATH": f"{first}:{self.folder}", "ASAN_OPTIONS": "hard_rss_limit_mb=2048"}

    def seconds(self):
        """Seconds of the processor that each test takes; ends where one fails without a change."""
        return {test: self.measure(test) for test in self.tests}

    def measure(self, test):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        need([self.folder / test.stem], env=self.environment())
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before

    def mutant(self, folder, mutant):
        """The object of a mutant; None when it doesn't compile."""
        changed, made = folder / mutant.path.name, folder / "mutant.o"
        changed.write_text(mutant.text)
        compiler = ["cc", *FLAGS, *self.flags, f"-I{mutant.path.parent}",
                    f"-ffile-prefix-map={folder}={mutant.path.parent}"]
        return None if run([*compiler, "-c", changed, "-o", made]).returncode else made

    def link_mutant(self, folder, mutant, made):
        objects = [made if source == mutant.path else made_once for source, made_once in self.objects.items()]
        self.link(folder / "libjudge.so", objects)


class Build:
    """Three flavours: plain tells most mutants for the least of the processor's time, the checked one is asked
    about the rest, and the counting one says which tests run which lines."""

    def __init__(self, folder, jobs):
        self.folder = folder
        self.sources = sorted(STATS.rglob("*.c"))
        self.plain = Flavour(folder / "plain", [], self.sources, jobs)
        self.checked = Flavour(folder / "checked", CHECKED, self.sources, jobs)
        self.seconds = {self.plain: self.plain.seconds(), self.checked: self.checked.seconds()}
        self.lines = covered(Flavour(folder / "counting", COUNTED, self.sources, jobs))

    def tests_of(self, mutant):
        """The tests that run the line, or the last before it that has code: only they can notice a mutant of it."""
        lines = self.lines[mutant.path]
        return lines[max(line for line in lines if line <= mutant.line)]


def tests_of_stats():
    return [test for test in sorted((ROOT / "tests/unit/stats").rglob("test_*.c")) if test.stem not in LEFT_OUT]


def covered(counting):
    """{source: {line: the tests that run it}}."""
    lines = collections.defaultdict(lambda: collections.defaultdict(set))
    for test in counting.tests:
        need([counting.folder / test.stem], env=counting.environment())
        need(["gcov", "--json-format", *counting.objects.values()], cwd=counting.folder)
        for source in counting.objects:
            for line, count in lines_of(counting.folder, source):
                lines[source][line] |= {test} if count else set()
        for left in counting.folder.glob("*.gcda"):
            left.unlink()
    return lines


def lines_of(folder, source):
    """The lines of the source that have code, and how often each was run."""
    found = folder / f"{source.parent.name}_{source.stem}.gcov.json.gz"
    for file in json.loads(gzip.decompress(found.read_bytes()))["files"]:
        if file["file"] == str(source):
            yield from ((line["line_number"], line["count"]) for line in file["lines"])


class Hunt:
    """Tries mutants, the test that killed most of a source's first: in this hunt and in those before."""

    def __init__(self, build, remembered):
        self.build = build
        self.remembered = pathlib.Path(remembered)
        self.kills = collections.Counter()
        if self.remembered.exists():
            self.kills.update({tuple(key.split(" ")): n for key, n in json.loads(self.remembered.read_text()).items()})

    def remember(self):
        self.remembered.write_text(json.dumps({" ".join(key): n for key, n in sorted(self.kills.items())}, indent=1))

    def order(self, mutant, flavour):
        seconds = self.build.seconds[flavour]
        return sorted(self.build.tests_of(mutant),
                      key=lambda test: (-self.kills[name_of(mutant.path), test.stem] / (seconds[test] + 0.05),
                                        seconds[test]))

    def fails(self, flavour, test, folder):
        """A bound in processor time, for a mutant may loop for ever, and no slow machine may decide."""
        limit = int(2 + 4 * self.build.seconds[flavour][test])
        return run(["prlimit", f"--cpu={limit}", "--core=0", flavour.folder / test.stem],
                   env=flavour.environment(folder)).returncode != 0

    def killed(self, flavour, mutant, folder):
        for test in self.order(mutant, flavour):
            if self.fails(flavour, test, folder):
                self.kills[name_of(mutant.path), test.stem] += 1
                return True
        return False

    def outcome(self, mutant):
        """killed, survived, or none: no program, or the same."""
        plain, checked = self.build.plain, self.build.checked
        with tempfile.TemporaryDirectory(dir=self.build.folder) as name:
            folder = pathlib.Path(name)
            made = plain.mutant(folder, mutant)
            if not made or made.read_bytes() == plain.objects[mutant.path].read_bytes():
                return "none"
            if not self.build.tests_of(mutant):
                return "survived"
            for flavour in (plain, checked):
                made = made if flavour is plain else checked.mutant(folder, mutant)
                flavour.link_mutant(folder, mutant, made)
                if self.killed(flavour, mutant, folder):
                    return "killed"
        return "survived"


def key_of(mutant):
    """What a line of equivalent.txt knows a mutant by: its text, for numbers of lines change."""
    return f"{name_of(mutant.path)}: {mutant.source} -> {mutant.changed}"


def explained():
    """The mutants of equivalent.txt: a line each, and its reason indented below."""
    lines = EQUIVALENT.read_text().splitlines()
    return {line for line in lines if line and not line.startswith(("#", " "))}


def drawn(options):
    sources = [path for path in sorted(STATS.rglob("*.c")) if options.file in name_of(path)]
    known = explained()
    every = [m for path in sources for m in mutants_of(path, path.read_text()) if key_of(m) not in known]
    if options.again:
        lines = pathlib.Path(options.again).read_text().splitlines()
        wanted = {(line.split(":")[0], line.split(": ", 2)[-1]) for line in lines}
        every = [m for m in every if (f"src/common/stats/{name_of(m.path)}", f"{m.source} -> {m.changed}") in wanted]
    if not every:
        sys.exit(f"judge.py: --file {options.file}: no source of {STATS.relative_to(ROOT)} has that in its name")
    if options.sample and options.sample < len(every):
        return random.Random(options.seed).sample(every, options.sample)
    return every


def report(counts, out):
    for path in sorted({path for path, _ in counts}):
        print(f"{name_of(path):36} killed {counts[path, 'killed']:5} survived {counts[path, 'survived']:5}")
    killed, survived = (sum(n for (_, what), n in counts.items() if what == w) for w in ("killed", "survived"))
    share = killed / max(1, killed + survived)
    print(f"{killed} of {killed + survived} killed, {100 * share:.1f} %; survivors in {out}")
    return 0 if killed and share >= TARGET else 1


def hunt(options):
    mutants = drawn(options)
    counts = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="soak-mutants-") as folder, open(options.survivors, "w") as out, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tries = Hunt(Build(pathlib.Path(folder), options.jobs), options.remembered)
        for mutant, outcome in zip(mutants, pool.map(tries.outcome, mutants)):
            counts[mutant.path, outcome] += 1
            if outcome == "survived":
                print(f"src/common/stats/{name_of(mutant.path)}:{mutant.line}: {mutant.operator}: "
                      f"{mutant.source} -> {mutant.changed}", file=out, flush=True)
            if sum(counts.values()) % 100 == 0:
                print(f"{sum(counts.values())} of {len(mutants)} tried", file=sys.stderr, flush=True)
        tries.remember()
    return report(counts, options.survivors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--sample", type=int, default=0, help="as many, drawn by the seed, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--file", default="", help="only sources with this in their name below stats/")
    parser.add_argument("--again", default="", metavar="FILE", help="only those that survived an earlier hunt")
    parser.add_argument("--survivors", default="results/mutation.txt", help="the file they are written to")
    parser.add_argument("--remembered", default="results/mutation-kills.json", metavar="FILE",
                        help="which test killed how many of which source, from hunt to hunt")
    options = parser.parse_args()
    pathlib.Path(options.survivors).parent.mkdir(parents=True, exist_ok=True)
    sys.exit(hunt(options))


if __name__ == "__main__":
    main()
