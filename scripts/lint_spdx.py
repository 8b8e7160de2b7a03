# SPDX-License-Identifier: Apache-2.0
"""Every source file says its licence in its first three lines, as LICENSE has it. Prints those that don't."""

import sys

import lint_files

LINE = "SPDX-License-Identifier: Apache-2.0"
PATTERNS = ("*.c", "*.h", "*.py", "*.sh", "*.java", "*.cmake", "*CMakeLists.txt", "scripts/pre-commit", "soak", "check",
            ".ci/run")


def unmarked(path):
    with path.open(encoding="utf-8") as file:
        head = [file.readline() for _ in range(3)]
    if not any(LINE in line for line in head):
        yield f"{path}: no '{LINE}' in its first three lines"


sys.exit(lint_files.report(unmarked, *PATTERNS))
