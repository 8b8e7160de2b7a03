# SPDX-License-Identifier: Apache-2.0
"""Draws a terminal as SVG: the command it is given, and under it what stdin holds, in the colours of
`soak --color=always`. Every run of characters has its place and its length, so that columns stay
columns in whatever monospaced font the reader has.

usage: COMMAND --color=always | terminal_svg.py 'COMMAND' >picture.svg"""

import re
import sys
from xml.sax.saxutils import escape

COLUMN, ROW, MARGIN, BAR = 8.4, 19, 18, 30
INKS = {"1": "b", "2": "d", "1;31": "b bad", "1;32": "b good", "1;33": "b doubt"}
ESCAPE = re.compile(r"\x1b\[([\d;]*)m")
HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" \
viewBox="0 0 {width:.0f} {height:.0f}" role="img">
<title>{title}</title>
<style>
text {{ font: 14px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #d5d9e0; white-space: pre; }}
.b {{ font-weight: bold; fill: #ffffff; }}
.d {{ fill: #8e96a3; }}
.bad {{ fill: #ff7b72; }}
.good {{ fill: #5dd47c; }}
.doubt {{ fill: #e8b84a; }}
</style>
<rect x="0.5" y="0.5" width="{inner:.0f}" height="{tall:.0f}" rx="8" fill="#15181e" stroke="#4a515c"/>
<circle cx="20" cy="18" r="5" fill="#ff6159"/><circle cx="38" cy="18" r="5" fill="#ffbd2e"/>\
<circle cx="56" cy="18" r="5" fill="#28c941"/>
"""


def runs(line):
    """The column, the class and the text of each run of one colour; blanks at the ends are left out."""
    column, ink = 0, ""
    for i, part in enumerate(ESCAPE.split(line)):
        if i % 2:
            ink = INKS.get(part, "")
        elif part.strip():
            yield column + len(part) - len(part.lstrip()), ink, part.strip()
        if i % 2 == 0:
            column += len(part)


def draw_line(number, line):
    y = BAR + MARGIN + number * ROW
    for column, ink, text in runs(line):
        kind = f' class="{ink}"' if ink else ""
        yield (f'<text{kind} x="{MARGIN + column * COLUMN:.1f}" y="{y}" xml:space="preserve" '
               f'textLength="{len(text) * COLUMN:.1f}">{escape(text)}</text>\n')


def draw(command, output):
    lines = [f"\x1b[2m$\x1b[0m \x1b[1m{command}\x1b[0m", *output.rstrip("\n").split("\n")]
    columns = max(80, *(len(ESCAPE.sub("", line)) for line in lines))
    width, height = 2 * MARGIN + columns * COLUMN, BAR + MARGIN + len(lines) * ROW
    yield HEAD.format(width=width, height=height, inner=width - 1, tall=height - 1,
                      title=escape(f"{command}: {ESCAPE.sub('', lines[1])}"))
    for number, line in enumerate(lines):
        yield from draw_line(number, line)
    yield "</svg>\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.rsplit("\n", 1)[1])
    sys.stdout.writelines(draw(sys.argv[1], sys.stdin.read()))


if __name__ == "__main__":
    main()
