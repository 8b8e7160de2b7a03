# SPDX-License-Identifier: Apache-2.0
"""Reads the connection log of soak-server (--log): docs/reference/connection-log.md says what the keys mean."""

import re

PAIR = re.compile(r'([a-z-]+)=("(?:[^"\\]|\\.)*"|[^ "]*)')


def parse(line):
    """{key: value} of one line; every byte of it must belong to a pair."""
    pairs, at = {}, 0
    while at < len(line):
        match = PAIR.match(line, at)
        assert match, f"not a pair at column {at}: {line}"
        assert match[1] not in pairs, f"{match[1]} twice: {line}"
        pairs[match[1]] = match[2][1:-1] if match[2].startswith('"') else match[2]
        at = match.end() + 1
    return pairs


def read(path):
    """The connections in the order in which they were accepted."""
    with open(path, encoding="utf-8") as log:
        text = log.read()
    assert text == "" or text.endswith("\n"), "a line was cut short"
    return sorted((parse(line) for line in text.splitlines()), key=lambda c: int(c["conn"]))
