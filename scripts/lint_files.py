# SPDX-License-Identifier: Apache-2.0
"""What the linters of this folder share: the tracked files to look at, and how breaches are told."""

import pathlib
import subprocess


C_FILES = ("*.c", "*.h")


def report(check, *patterns):
    """Runs check(path), which yields a line per breach, on each tracked file of these patterns, else on each C
    file. The exit code."""
    listed = subprocess.run(["git", "ls-files", *(patterns or C_FILES)], text=True, check=True,
                            stdout=subprocess.PIPE).stdout.split()
    paths = [path for path in map(pathlib.Path, listed) if path.exists()]
    found = [line for path in paths for line in check(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0
