# SPDX-License-Identifier: Apache-2.0
"""analyze.py [FILE...]: gcc's -fanalyzer over the C files of src/, server/, client/ and footprint/, or over those that
are named, as build/compile_commands.json compiles them. scripts/analyzer.txt has the warnings that are wrong, each
with its reason. Prints every other one, and what stands in the list and is no longer said; last how many files were
analysed, and how many of them said nothing. Exit 1 when something is printed but that; 2 without a build of gcc's."""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[1]
ROOMS = ("src", "server", "client", "footprint")
KNOWN = SOURCE / "scripts/analyzer.txt"
WARNING = re.compile(r"^(\S+?):(\d+):\d+: (?:warning|error): (.*) \[-W(?:error=)?(analyzer-[\w-]+)\]$", re.MULTILINE)


def known():
    """{(file, warning): reason}"""
    found, reason = {}, []
    for line in KNOWN.read_text(encoding="utf-8").splitlines():
        if line.startswith("//"):
            reason.append(line[2:].strip())
            continue
        if line and not reason:
            sys.exit(f"{KNOWN.name}: {line} has no reason before it")
        if line:
            warning, _, path = line.partition(":")
            found[path, warning] = " ".join(reason)
        else:
            reason = []
    return found


def commands(files):
    """{file: its command, which keeps nothing}; a file that several programs compile is analysed once."""
    try:
        text = (SOURCE / "build/compile_commands.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        sys.exit("analyze.py: there is no build: sh scripts/setup.sh run")
    found = {}
    for entry in json.loads(text):
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(SOURCE) or path.relative_to(SOURCE).parts[0] not in ROOMS:
            continue
        words = [word for word in shlex.split(entry["command"]) if word != "-c"]
        words[words.index("-o") + 1] = "/dev/null"
        words.insert(1, "-fanalyzer")
        name = str(path.relative_to(SOURCE))
        if not files or name in files:
            found[name] = ([*words, "-S", "-fdiagnostics-plain-output"], entry["directory"])
    return found


def analyze(job):
    command, folder = job
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if said.returncode:
        sys.exit("analyze.py: " + said.stderr)
    place = str(SOURCE) + "/"
    return [(path.removeprefix(place), int(line), text, warning)
            for path, line, text, warning in WARNING.findall(said.stderr)]


def main(files):
    jobs, excused, met = commands(files), known(), collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = dict(zip(jobs, pool.map(analyze, jobs.values())))
    found = sorted({warning for warnings in said.values() for warning in warnings})
    wrong = []
    for path, line, text, warning in found:
        if (path, warning) in excused:
            met[path, warning] += 1
        else:
            wrong.append(f"{path}:{line}: {text} [{warning}]")
    wrong += [f"{KNOWN.relative_to(SOURCE)}: {warning}:{path} is no longer said: take it off"
              for path, warning in excused if path in jobs and not met[path, warning]]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(jobs)} files, {sum(not warnings for warnings in said.values())} without a word, "
          f"{sum(met.values())} warnings that are wrong")
    return 1 if wrong or not jobs else 0


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))
