# SPDX-License-Identifier: Apache-2.0
"""analyze.py gcc|clang-tidy [FILE...]: gcc's -fanalyzer, or clang-tidy (.clang-tidy has the checks), over the C files of
src/, server/, client/ and footprint/, or over those that are named, as build/compile_commands.json compiles them.
scripts/analyzer.txt and scripts/tidy.txt have the warnings that are wrong, each with its reason, the function and a line
for every place in it. Prints every other one, all of a function with more places than lines, and what stands in the list
and is no longer said; last how many files were analysed, and how many of them said nothing. Exit 1 when something is printed but that, or without a build; 2 for a wrong line."""

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
BUILD = SOURCE / "build"
# What each prints of a warning: path, line, text, name.
SAYS = {"gcc": r"^(\S+?):(\d+):\d+: (?:warning|error): (.*) \[-W(?:error=)?(analyzer-[\w-]+)\]$",
        "clang-tidy": r"^(\S+?):(\d+):\d+: (?:warning|error): (.*) \[([\w.,-]+)\]$"}
LISTS = {"gcc": SOURCE / "scripts/analyzer.txt", "clang-tidy": SOURCE / "scripts/tidy.txt"}


# Where a function begins, with its name: at the line's first column, and it is no declaration.
FUNCTION = re.compile(r"^[a-zA-Z_].*?\b(\w+)\((?!\().*[^;]$")


def known(path):
    """{(file, warning, function): places}"""
    found, reason = collections.Counter(), []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("//"):
            reason.append(line[2:].strip())
            continue
        if line and not reason:
            sys.exit(f"{path.name}: {line} has no reason before it")
        if line:
            warning, file, *function = line.split(":")
            found[file, warning, "".join(function)] += 1
        else:
            reason = []
    return found


def by_gcc(words):
    words = [word for word in words if word != "-c"]
    words[words.index("-o") + 1] = "/dev/null"
    return [words[0], "-fanalyzer", *words[1:], "-S", "-fdiagnostics-plain-output"]


def commands(tool, files):
    """{file: its command, which keeps nothing}; a file that several programs compile is analysed once."""
    try:
        text = (BUILD / "compile_commands.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        sys.exit("analyze.py: there is no build: sh scripts/setup.sh run")
    found = {}
    for entry in json.loads(text):
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(SOURCE) or path.relative_to(SOURCE).parts[0] not in ROOMS:
            continue
        name = str(path.relative_to(SOURCE))
        if not files or name in files:
            found[name] = (by_gcc(shlex.split(entry["command"])) if tool == "gcc" else
                           ["clang-tidy", "-p", str(BUILD), "--quiet", str(path)], entry["directory"])
    return found


def analyze(tool, job):
    command, folder = job
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if said.returncode:
        sys.exit("analyze.py: " + said.stdout + said.stderr)
    place = str(SOURCE) + "/"
    return [(path.removeprefix(place), int(line), text, warning)
            for path, line, text, warning in re.findall(SAYS[tool], said.stdout + said.stderr, re.MULTILINE)]


def function_at(path, number):
    """The function in which the line is; of a macro none."""
    for line in reversed((SOURCE / path).read_text(encoding="utf-8").splitlines()[:number]):
        if line.startswith("#define"):
            return ""
        if match := FUNCTION.match(line):
            return match[1]
    return ""


def main(tool, files):
    excused, jobs = known(LISTS[tool]), commands(tool, files)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = dict(zip(jobs, pool.map(lambda job: analyze(tool, job), jobs.values())))
    found = sorted({warning for warnings in said.values() for warning in warnings})
    place = {(path, line): function_at(path, line) for path, line, _, _ in found}
    met = collections.Counter((path, warning, place[path, line])
                              for path, line, warning in {(path, line, warning) for path, line, _, warning in found})
    wrong = [f"{path}:{line}: {text} [{warning}] in {place[path, line] or 'a macro'}" for path, line, text, warning in found
             if met[path, warning, place[path, line]] > excused[path, warning, place[path, line]]]
    wrong += [f"{LISTS[tool].relative_to(SOURCE)}: {warning}:{path}{':' * bool(function)}{function} is no longer said"
              f"{' so often' * bool(met[path, warning, function])}: take it off"
              for (path, warning, function), places in sorted(excused.items())
              if path in jobs and met[path, warning, function] < places]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(jobs)} files, {sum(not warnings for warnings in said.values())} without a word, "
          f"{sum(number for key, number in met.items() if number <= excused[key])} warnings that are wrong")
    return 1 if wrong or not jobs else 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in SAYS:
        print("usage: analyze.py gcc|clang-tidy [FILE...]", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1], set(sys.argv[2:])))
