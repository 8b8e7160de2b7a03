# SPDX-License-Identifier: Apache-2.0
"""What the linters of this folder share: the tracked files to look at, and how breaches are told."""

import pathlib
import subprocess


C_FILES = ("*.c", "*.h")


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", *patterns], text=True, check=True,
                            stdout=subprocess.PIPE).stdout.split()
    return [path for path in map(pathlib.Path, listed) if path.exists()]


def report(check, *patterns):
    """Runs check(path), which yields a line per breach, on each tracked file of these patterns, else on each C
    file. The exit code."""
    found = [line for path in tracked(*(patterns or C_FILES)) for line in check(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0
