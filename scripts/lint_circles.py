# SPDX-License-Identifier: Apache-2.0
"""Calls between files form no circle: where a.c calls into b.c, nothing that b.c calls leads back to a.c, so
that every file can be read with those below it alone. A call through a pointer isn't one: that is how a
lower file reports. Prints each circle with one call for each of its edges."""

import collections
import pathlib
import re
import sys

import lint_files

# Circles that are meant, by what the paths of all their files begin with.
ALLOWED = {
    "src/soak/run/": "one state machine: what watches it breaks it off",
}
COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
DEFINITION = re.compile(r"^(?!static|typedef|#|return)[A-Za-z_][\w \*]*?\b(\w+)\([^;{}]*\)\s*\{", re.MULTILINE)
STATIC = re.compile(r"^static [\w \*]*?\b(\w+)\(", re.MULTILINE)
CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")


class Source:
    def __init__(self, path):
        text = COMMENT_OR_TEXT.sub(" ", path.read_text(encoding="utf-8"))
        self.path = path
        self.defines = set(DEFINITION.findall(text))
        self.calls = set(CALL.findall(text)) - set(STATIC.findall(text)) - self.defines


def room_of(path):
    parts = path.parts
    return parts[1] if parts[0] == "src" else parts[0]


def callee(sources, name, path):
    """The file whose function of this name is meant in `path`: programs have namesakes."""
    for near in (lambda s: s.path.parent == path.parent, lambda s: room_of(s.path) == room_of(path),
                 lambda s: room_of(s.path) == "common"):
        found = [s.path for s in sources[name] if near(s)]
        if found:
            return found[0]
    return None


def graph_of(files):
    all_sources = [Source(path) for path in files]
    by_name = collections.defaultdict(list)
    for source in all_sources:
        for name in source.defines:
            by_name[name].append(source)
    edges = {source.path: {} for source in all_sources}
    for source in all_sources:
        for name in sorted(source.calls & by_name.keys()):
            to = callee(by_name, name, source.path)
            if to and to != source.path:
                edges[source.path].setdefault(to, name)
    return edges


def reached(edges, start):
    seen, todo = set(), [start]
    while todo:
        for to in edges[todo.pop()]:
            if to not in seen:
                seen.add(to)
                todo.append(to)
    return seen


def circles(edges):
    reach = {path: reached(edges, path) for path in edges}
    left = [path for path in edges if path in reach[path]]
    while left:
        circle = {path for path in left if path == left[0] or (path in reach[left[0]] and left[0] in reach[path])}
        left = [path for path in left if path not in circle]
        yield circle


def main():
    files = [path for path in lint_files.tracked("*.c") if path.parts[0] in ("src", "server", "client", "footprint")]
    edges = graph_of(files)
    found = [circle for circle in circles(edges)
             if not any(all(str(path).startswith(start) for path in circle) for start in ALLOWED)]
    for circle in found:
        print(f"a circle of calls between {len(circle)} files:")
        for path in sorted(circle):
            for to, name in sorted(edges[path].items()):
                if to in circle:
                    print(f"  {path} calls {name} of {to}")
    return 1 if found else 0


sys.exit(main())
