"""Small rooms: no function over 60 lines, no C file over 450 but for the tests, which are lists. Relies
on the layout of clang-format: a function's braces stand in the first column. Prints what is too long."""

import pathlib
import re
import subprocess
import sys

FUNCTION_LINES, FILE_LINES = 60, 450
NAME = re.compile(r"(\w+)\(")


def too_long(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > FILE_LINES and path.parts[0] != "tests":
        yield f"{path}: {len(lines)} lines, at most {FILE_LINES}"
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            length = number - start + 1
            if length > FUNCTION_LINES:
                names = [m[1] for back in lines[max(0, start - 4):start] for m in NAME.finditer(back)]
                name = names[-1] if names else "function"
                yield f"{path}:{start + 1}: {name}: {length} lines, at most {FUNCTION_LINES}"
            start = None


def main():
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], text=True, check=True,
                            stdout=subprocess.PIPE).stdout.split()
    found = [line for name in listed if pathlib.Path(name).exists()
             for line in too_long(pathlib.Path(name))]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


sys.exit(main())
