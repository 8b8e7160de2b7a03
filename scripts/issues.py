# SPDX-License-Identifier: Apache-2.0
"""Writes docs/issues anew: leaks that were real, as `soak report --issue` tells of them after `soak shorten`. Takes
ten minutes and more, and what the scenarios need: Debian's netty-tcnative, OpenSSL 3.0.20, ncat. NAME... makes these
alone.

    python3 scripts/issues.py [NAME...]
"""

import pathlib
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
COLUMNS = 116
SEED = "7f3a"
# Name: the scenario, and what stands above.
ISSUES = {
    "netty-tcnative-532": ("examples/netty/lost.soak", """on Debian 12, whose netty-tcnative is 2.0.28. The leak was
        [issue 532](https://github.com/netty/netty-tcnative/issues/532), mended in 2.0.30; [how it is
        found](../case-netty.md)."""),
    "openssl-30464": ("scenarios/cases/openssl-ticket-abort-bad.soak", """. The leak was mended by [pull request
        30464](https://github.com/openssl/openssl/pull/30464); 3.0.22 no longer has it."""),
    "ncat-exec": ("scenarios/cases/ncat-exec.soak", """on Debian 12. In [nmap's
        repository](https://github.com/nmap/nmap/blob/master/ncat/ncat_posix.c) netrun() still closes the socket alone
        in August 2026."""),
}


def soak(*words, codes):
    process = subprocess.run(["./soak", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode not in codes:
        sys.exit(f"issues.py: soak {' '.join(words)}: exit {process.returncode}")
    return process.stdout


def folded(text, mark=""):
    """Prose is folded; tables and commands, which Markdown takes line by line, are not."""
    for line in text.splitlines():
        if line.startswith(("|", "    ", "#")) or not line:
            yield mark + line
        else:
            yield from textwrap.wrap(line, COLUMNS, initial_indent=mark, subsequent_indent=mark,
                                     break_long_words=False, break_on_hyphens=False)


def issue(scenario, above):
    with tempfile.TemporaryDirectory(prefix="soak-issues-") as folder:
        soak("run", scenario, "--seed", SEED, "--results", folder, codes=[1])
        soak("shorten", f"{folder}/last", "--for", "1h", codes=[0])
        claim, _, rest = soak("report", f"{folder}/last", "--issue", codes=[0]).partition("\n")
    above = " ".join(f"""This is what `./soak shorten last` and then `./soak report last --issue` made of
        `./soak run {scenario} --seed {SEED}` {above}""".replace("` .", "`.").split())
    return "\n".join([claim, "", *folded(above, "> "), *folded(rest)]) + "\n"


if __name__ == "__main__":
    for name in sys.argv[1:] or ISSUES:
        text = issue(*ISSUES[name])
        (ROOT / "docs/issues" / f"{name}.md").write_text(text, encoding="utf-8")
