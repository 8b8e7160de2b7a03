"""What the linters of this folder share: the C files to look at, and how breaches are told."""

import pathlib
import subprocess


def report(check):
    """Runs check(path), which yields a line per breach, on each tracked C file. The exit code."""
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], text=True, check=True,
                            stdout=subprocess.PIPE).stdout.split()
    paths = [path for path in map(pathlib.Path, listed) if path.exists()]
    found = [line for path in paths for line in check(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0
