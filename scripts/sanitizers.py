#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the journals of scripts/sanitize.sh, to which scripts/tally.py appends a line per test program. Of a
program that ran more than once the last time counts.

    python3 scripts/sanitizers.py passed JOURNAL    the programs that need not run again, as ctest's -E takes them
    python3 scripts/sanitizers.py sum JOURNAL       `N passed, N failed` of all; exit 1 when one failed,
                                                    or hasn't ended though scripts/sanitize.sh chose it
    python3 scripts/sanitizers.py page ADDRESS THREAD >results/sanitizers.md
"""

import json
import re
import sys
import textwrap
from pathlib import Path

HEAD = """# All tests under sanitizers

`python3 scripts/sanitizers.py` writes this page from the journals of two runs. CI runs a short set under each;
the whole is run by hand. It can be stopped at any time: begun again, it goes on with the programs that haven't passed.

```sh
bash scripts/sanitize.sh address    # (address short, thread short: what CI runs)
bash scripts/sanitize.sh thread
python3 scripts/sanitizers.py page build-asan/journal.jsonl build-tsan/journal.jsonl >results/sanitizers.md
```

A case is skipped where such a build lacks what it is about: jemalloc, the sandbox, the library that counts in other
programs. A run that doesn't end fails its case, which says where it sleeps; but with libtsan of gcc 12, if it reads
a pipe with every signal blocked, the case is skipped: the runtime runs libuv's handler of one signal inside that of
another, which holds the byte that both read ([1855](https://github.com/google/sanitizers/issues/1855)). Left out are
the tests of how the ordinary build is made and of the tree's own tools (CTest's label `ordinary`), of that library
(`tests/preload`), of planted leaks in other programs, which it finds (`tests/servers`), and of clusters
(`tests/placement`).
"""
SANITIZERS = ("AddressSanitizer with UndefinedBehaviorSanitizer", "ThreadSanitizer")


def read(path):
    """[entry] in the order in which they ended; a line that a stop has torn is none."""
    entries = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        entries.pop(entry["program"], None)
        entries[entry["program"]] = entry
    return list(entries.values())


def total(entries, word):
    return sum(entry[word] for entry in entries)


def passed(path):
    return "|".join(f"^{re.escape(e['program'])}$" for e in read(path) if not e["failed"]) or "^$"


def not_ended(path, entries):
    """Of those that scripts/sanitize.sh wrote down beside the journal when it began."""
    chosen = Path(path).with_name("programs.txt")
    names = chosen.read_text(encoding="utf-8").split() if chosen.exists() else []
    return sorted(set(names) - {e["program"] for e in entries})


def unfinished(left):
    return textwrap.fill(f"Not run, or not to their end ({len(left)}): {', '.join(left)}.", 118, break_on_hyphens=False)


def summary(path):
    entries = read(path)
    left = not_ended(path, entries)
    if left:
        print(unfinished(left))
    failed = total(entries, "failed") + len(left)
    skipped = f", {total(entries, 'skipped')} skipped" if total(entries, "skipped") else ""
    print(f"{total(entries, 'passed')} passed, {failed} failed{skipped}")
    return 1 if failed or not total(entries, "passed") else 0


def rows(entries):
    yield "| program | cases | passed | failed | skipped | reports | seconds | why skipped |"
    yield "|---|---|---|---|---|---|---|---|"
    for e in sorted(entries, key=lambda e: e["program"]):
        cases = e["passed"] + e["failed"] + e["skipped"]
        yield (f"| {e['program']} | {cases} | {e['passed']} | {e['failed']} | {e['skipped']} | {e['reports']} | "
               f"{e['seconds']:.0f} | {'; '.join(e['reasons'])} |")


def section(name, path):
    entries = read(path)
    left = not_ended(path, entries)
    yield f"## {name}\n"
    yield (f"{len(entries)} programs ended: {total(entries, 'passed')} cases passed, {total(entries, 'failed')} failed, "
           f"{total(entries, 'skipped')} skipped; {total(entries, 'reports')} reports.\n")
    if left:
        yield unfinished(left) + "\n"
    yield from rows(entries)


def main(what, *journals):
    if what == "passed":
        print(passed(*journals))
    elif what == "sum":
        return summary(*journals)
    else:
        print(HEAD, *(line for name, path in zip(SANITIZERS, journals) if Path(path).exists()
                      for line in section(name, path)), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
