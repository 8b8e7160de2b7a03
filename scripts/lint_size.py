# SPDX-License-Identifier: Apache-2.0
"""Small rooms: no function over 60 lines or 5 parameters, no C file over 450 but for the tests, which are
lists. A function that is handed on as a pointer has the parameters of whoever calls it. Relies on the
layout of clang-format: a function's braces stand in the first column. And no line of CMake over 100
columns, which clang-format sees to in C. Prints what is too long."""

import functools
import re
import sys

import lint_files

FUNCTION_LINES, FILE_LINES, COLUMNS, PARAMETERS = 60, 450, 100, 5
CMAKE_FILES = ("*CMakeLists.txt", "*.cmake")
NAME = re.compile(r"(\w+)\(")
NOT_CODE = re.compile(r'/\*.*?\*/|^#include .*?$|"(?:\\.|[^"\\\n])*"', re.DOTALL | re.MULTILINE)
DEFINITION = re.compile(r"^[A-Za-z_][^;{}#=]*?\b(\w+)(\((?:[^(){};]|\([^()]*\))*\))\n\{", re.MULTILINE)


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


@functools.cache
def code_of(path):
    return NOT_CODE.sub(lambda m: "\n" * m[0].count("\n"), path.read_text(encoding="utf-8"))


def parameters(text):
    """How many of `(a, b(c, d), ...)`; what follows from a format isn't one."""
    outer = re.sub(r"(?<!^)\([^()]*\)", "", text)
    return outer.count(",") + 1 - outer.endswith("...)")


def too_many(path):
    code = code_of(path)
    for found in DEFINITION.finditer(code):
        count, name = parameters(found[2]), found[1]
        if count > PARAMETERS and name not in handed_on():
            line = code.count("\n", 0, found.start(1)) + 1
            yield f"{path}:{line}: {name}: {count} parameters, at most {PARAMETERS}"


@functools.cache
def handed_on():
    """The names that stand somewhere without being called."""
    code = "".join(map(code_of, lint_files.tracked(*lint_files.C_FILES)))
    return set(re.findall(r"\b([a-z]\w+)\b(?!\s*\()", code))


def too_wide(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        if len(line) > COLUMNS:
            yield f"{path}:{number + 1}: {len(line)} columns, at most {COLUMNS}"


sys.exit(lint_files.report(too_long) | lint_files.report(too_many) | lint_files.report(too_wide, *CMAKE_FILES))
