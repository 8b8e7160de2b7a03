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
# What reads past an array, or frees nothing, no assertion sees.
CHECKED = ["-fsanitize=address"]
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


class Build:
    """The folder as a shared library, what it stands on as another, and its tests linked with both: for a
    mutant one object and one library are made, and the programs stay."""

    def __init__(self, folder, jobs):
        self.folder = folder
        self.sources = sorted(STATS.rglob("*.c"))
        self.tests = [test for test in sorted((ROOT / "tests/unit/stats").rglob("test_*.c"))
                      if test.stem not in LEFT_OUT]
        below = [source for name in ("base", "options") for source in (ROOT / "src/common" / name).glob("*.c")]
        below.append(folder / "version.c")
        below[-1].write_text('const char soak_version[] = "0";\n')
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            objects = dict(zip([*self.sources, *below], pool.map(self.compile, [*self.sources, *below])))
            self.objects = {source: objects[source] for source in self.sources}
            self.plain = dict(zip(self.sources, pool.map(self.compile_plain, self.sources)))
            self.link(folder / "libbelow.so", [objects[source] for source in below])
            self.link(folder / "libjudge.so", self.objects.values())
            list(pool.map(self.link_test, self.tests))
        self.seconds = {test: self.measure(test) for test in self.tests}
        self.calls = self.covered(jobs)

    def compile(self, source):
        made = self.folder / f"{source.parent.name}_{source.stem}.o"
        need(["cc", *FLAGS, *CHECKED, "-c", source, "-o", made])
        return made

    def compile_plain(self, source):
        """Without checks, which know where their source is: the same bytes are the same program."""
        made = self.folder / f"{source.parent.name}_{source.stem}.plain.o"
        need(["cc", *FLAGS, "-c", source, "-o", made])
        return made

    def link(self, made, objects):
        return need(["cc", "-shared", *CHECKED, "-o", made, *objects, "-lm"])

    def link_test(self, test):
        golden = f'-DGOLDEN_DIR="{ROOT}/tests/unit/stats/golden"'
        need(["cc", *FLAGS, *CHECKED, golden, test, "-o", self.folder / test.stem, f"-L{self.folder}", "-ljudge",
              "-lbelow", *LIBRARIES])

    def measure(self, test):
        """Seconds of the processor that the test takes; ends where it fails without a change."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        need([self.folder / test.stem], env=self.environment(self.folder))
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before

    def environment(self, first):
        """A mutant may take memory without end."""
        return {**os.environ, "LD_LIBRARY_PATH": f"{first}:{self.folder}", "ASAN_OPTIONS": "hard_rss_limit_mb=2048"}

    def covered(self, jobs):
        """(source, line where a function begins) -> the tests that call it. Only they can notice a mutant of it."""
        folder = self.folder / "coverage"
        folder.mkdir()
        made = {source: folder / f"{source.parent.name}_{source.stem}.o" for source in self.sources}
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda source: need(["cc", *FLAGS, "--coverage", "-c", source, "-o", made[source]]), made))
        need(["cc", "-shared", "--coverage", "-o", folder / "libjudge.so", *made.values(), "-lm"])
        calls = collections.defaultdict(set)
        for test in self.tests:
            need([self.folder / test.stem], env=self.environment(folder))
            need(["gcov", "--json-format", *made.values()], cwd=folder)
            for source in made:
                for line, count in functions_of(folder, source):
                    calls[source, line] |= {test} if count else set()
            for left in folder.glob("*.gcda"):
                left.unlink()
        return calls

    def tests_of(self, mutant):
        begin = max(line for source, line in self.calls if source == mutant.path and line <= mutant.function)
        return self.calls[mutant.path, begin]


def functions_of(folder, source):
    """The line where each function of the source begins, and how often it was called."""
    found = folder / f"{source.parent.name}_{source.stem}.gcov.json.gz"
    for file in json.loads(gzip.decompress(found.read_bytes()))["files"]:
        if file["file"] == str(source):
            yield from ((f["start_line"], f["execution_count"]) for f in file["functions"])


class Hunt:
    """Tries mutants, the test that killed most of a source's first."""

    def __init__(self, build):
        self.build = build
        self.kills = collections.Counter()

    def order(self, mutant):
        path = mutant.path
        return sorted(self.build.tests_of(mutant),
                      key=lambda test: (-self.kills[path, test] / (self.build.seconds[test] + 0.05),
                                        self.build.seconds[test]))

    def made(self, folder, mutant):
        """The library with the mutant; "" when it doesn't compile or the compiler sees no difference."""
        changed, made = folder / mutant.path.name, folder / "mutant.o"
        changed.write_text(mutant.text)
        compiler = ["cc", *FLAGS, f"-I{mutant.path.parent}", f"-ffile-prefix-map={folder}={mutant.path.parent}"]
        if run([*compiler, "-c", changed, "-o", made]).returncode:
            return ""
        if made.read_bytes() == self.build.plain[mutant.path].read_bytes():
            return ""
        need([*compiler, *CHECKED, "-c", changed, "-o", made])
        objects = [made if source == mutant.path else made_once for source, made_once in self.build.objects.items()]
        self.build.link(folder / "libjudge.so", objects)
        return folder

    def fails(self, test, folder):
        """A bound in processor time, for a mutant may loop for ever, and no slow machine may decide."""
        limit = int(2 + 4 * self.build.seconds[test])
        return run(["prlimit", f"--cpu={limit}", "--core=0", self.build.folder / test.stem],
                   env=self.build.environment(folder)).returncode != 0

    def outcome(self, mutant):
        """killed, survived, or none: no program, or the same."""
        with tempfile.TemporaryDirectory(dir=self.build.folder) as name:
            folder = self.made(pathlib.Path(name), mutant)
            if not folder:
                return "none"
            for test in self.order(mutant):
                if self.fails(test, folder):
                    self.kills[mutant.path, test] += 1
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
        tries = Hunt(Build(pathlib.Path(folder), options.jobs))
        for mutant, outcome in zip(mutants, pool.map(tries.outcome, mutants)):
            counts[mutant.path, outcome] += 1
            if outcome == "survived":
                print(f"src/common/stats/{name_of(mutant.path)}:{mutant.line}: {mutant.operator}: "
                      f"{mutant.source} -> {mutant.changed}", file=out, flush=True)
            if sum(counts.values()) % 100 == 0:
                print(f"{sum(counts.values())} of {len(mutants)} tried", file=sys.stderr, flush=True)
    return report(counts, options.survivors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--sample", type=int, default=0, help="as many, drawn by the seed, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--file", default="", help="only sources with this in their name below stats/")
    parser.add_argument("--again", default="", metavar="FILE", help="only those that survived an earlier hunt")
    parser.add_argument("--survivors", default="results/mutation.txt", help="the file they are written to")
    options = parser.parse_args()
    pathlib.Path(options.survivors).parent.mkdir(parents=True, exist_ok=True)
    sys.exit(hunt(options))


if __name__ == "__main__":
    main()
