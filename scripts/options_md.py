# SPDX-License-Identifier: Apache-2.0
"""Writes docs/reference/options.md from the program's own tables: `build/bin/soak --man | python3
scripts/options_md.py >docs/reference/options.md`. tests/cli/test_docs.py fails when the page is not today's."""

import itertools
import re
import sys
import textwrap

COLUMNS = 116
INTRO = """\
# Options

Written by `build/bin/soak --man | python3 scripts/options_md.py >docs/reference/options.md`; change the tables of
the program instead. `soak --help`, `soak help COMMAND` and `soak --man` print the same.

- An option is `--name VALUE` or `--name=VALUE`. Where the value may be left out, as in `--json[=FILE]`, the next word
  is the file if it is `-` or ends in `.json` (`.md` for `--markdown`).
- Each behaviour of peers (`soak list behaviours`) is an option too, with its weight: `--reset 3`.
- `last` is the latest run: `./soak compare RUN last`.
- Ctrl-C ends a run early, with a verdict on what was seen until then.
- `./soak`, the launcher of a clone, works from any folder. It installs missing packages through apt-get, as root or
  with sudo; without either it prints the one command to run. Then it builds what has changed; help, lists and
  refusals wait only for `soak` itself. What a set-up did is in `build/setup.log`. An installed `soak` is the program
  alone. The commands that a report advises begin with what was typed, such as `../soak/soak`.

## A run

`soak [run] [SCENARIO] [OPTIONS]`: the sections are those of a [scenario file](../guide/scenarios.md).
"""
ESCAPES = (("\\&", ""), ("\\-", "-"), ("\\e", "\\"), ("\\fB", ""), ("\\fI", ""), ("\\fR", ""))


def plain(line):
    for escape, text in ESCAPES:
        line = line.replace(escape, text)
    return line


def wrapped(text, first="", rest=""):
    return textwrap.fill(text, COLUMNS, initial_indent=first, subsequent_indent=rest, break_long_words=False,
                         break_on_hyphens=False)


def option(name, words):
    match = re.match(r"(.*) \(default (.*)\)$", words)
    words, usual = (match[1], f" Default: `{match[2]}`.") if match else (words, "")
    return wrapped(f"- `{name}`: {words}.{usual}", rest="  ")


def sections(man):
    """Yields (heading, lines) of each .SH and .SS."""
    heading, lines = "", []
    for line in man.splitlines():
        if line.startswith((".SH ", ".SS ")):
            yield heading, lines
            heading, lines = line[1:], []
        elif line not in (".nf", ".fi"):
            lines.append(line)
    yield heading, lines


def running_text(lines):
    """Paragraphs; lines that begin with blanks stay as they are."""
    for indented, group in itertools.groupby(lines, key=lambda line: line.startswith(" ")):
        if indented:
            yield "\n".join(["```", *textwrap.dedent("\n".join(group)).splitlines(), "```"])
        else:
            yield wrapped(" ".join(group).strip())


def body(lines):
    """The text and options of a section, as Markdown."""
    parts, options = [], []
    while lines:
        if lines[0] == ".TP":
            options.append(option(plain(lines[1]), plain(lines[2])))
            lines = lines[3:]
            continue
        count = next((i for i, line in enumerate(lines) if i and line.startswith(".")), len(lines))
        text = [plain(line) for line in lines[lines[0] == ".PP":count]]
        parts += ["\n".join(options)] if options else []
        parts += running_text(text)
        options, lines = [], lines[count:]
    parts += ["\n".join(options)] if options else []
    return "\n\n".join(part for part in parts if part)


def main():
    print(INTRO, end="")
    for heading, lines in sections(sys.stdin.read()):
        title = plain(heading[3:])
        if heading.startswith("SS ["):
            print(f"\n### {title}\n\n{body(lines)}")
        elif heading == "SH COMMANDS":
            print("\n## Commands")
        elif heading.startswith("SS soak "):
            print(f"\n### soak {title.split()[1]}\n\n`{title.strip()}`\n\n{body(lines)}")
    print("\n[Exit codes](exit-codes.md) · [what a run leaves](documents.md)")


main()
