# SPDX-License-Identifier: Apache-2.0
"""Small rooms: no function over 60 lines, no C file over 450 but for the tests, which are lists. Relies
on the layout of clang-format: a function's braces stand in the first column. And no line of CMake over
100 columns, which clang-format sees to in C. Prints what is too long."""

import re
import sys

import lint_files

FUNCTION_LINES, FILE_LINES, COLUMNS = 60, 450, 100
CMAKE_FILES = ("*CMakeLists.txt", "*.cmake")
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


def too_wide(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        if len(line) > COLUMNS:
            yield f"{path}:{number + 1}: {len(line)} columns, at most {COLUMNS}"


sys.exit(lint_files.report(too_long) | lint_files.report(too_wide, *CMAKE_FILES))
