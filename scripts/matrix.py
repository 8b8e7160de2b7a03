#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""matrix.py [--cells FILE] [--closed COUNT] [--only DEFECT] FAMILY...

Lets the built-in server have each of its bugs under each family of scenarios and prints, as Markdown,
which family caught which: `caught` means LEAK with the bug's own kind and file. A family that a bug's
path doesn't lie on must PASS, `-`. What isn't as expected is in capitals, and the exit code is then 1;
4 when a run could not be made. Cells are kept in FILE and not run again when they are there."""

import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOAK = os.environ.get("SOAK", os.path.join(ROOT, "build/bin/soak"))

# Connections are kept in these: what is lost with each connection isn't lost there.
KEPT = {"held"}
# Families in which handshakes fail, open connections are reset, peers show certificates.
FAILING = {"default", "leave", "resume", "features/extensions", "features/client-certificates",
           "features/refusals", "hostile", "stalls", "starttls/smtp", "contexts"}
RESETTING = {"default", "leave", "starttls/smtp", "contexts"}
MUTUAL = {"features/client-certificates", "features/refusals"}

# What only jemalloc's figures show, or grows in steps, takes more connections; operations have a length
# of their own.
LENGTH = {"outside": "12k", "fragment": "12k", "table": "12k"}


def all_but_kept(family):
    return family not in KEPT


DEFECTS = {  # bug: (kind, part of the site's file, whether the family reaches it)
    "lost-state": ("side-allocation-lost", "server/defect.c", all_but_kept),
    "peer-cert-ref": ("object-retained", "crypto/", MUTUAL.__contains__),
    "ssl-retained": ("object-retained", "ssl/", all_but_kept),
    "free-deferred": ("free-deferred", "ssl/", all_but_kept),
    "session-ref": ("object-retained", "", all_but_kept),
    "error-path": ("side-allocation-lost", "server/defect.c", FAILING.__contains__),
    "reset-path": ("side-allocation-lost", "server/defect.c", RESETTING.__contains__),
    "outside": ("outside-openssl", "", all_but_kept),
    "fragment": ("fragmentation", "", all_but_kept),
    "per-time": ("time-based", "server/defect.c", lambda family: True),
    "fd": ("descriptors", "", all_but_kept),
    "table": ("table-growing", "server/defect_stores.c", all_but_kept),
    "per-operation": ("held-by-connection", "server/defect_stores.c", KEPT.__contains__),
    "operation-lost": ("side-allocation-lost", "server/defect.c", lambda family: True),
    "one-time": (None, "", lambda family: False),
    "cache": (None, "", lambda family: False),
    "alloc-fail-path": (None, "", lambda family: False),
}


def run(family, defect, closed):
    """What the run said: its verdict, and kind and file of what it blames; or why there was none."""
    length = [] if family in KEPT else ["--closed", LENGTH.get(defect, closed)]
    done = subprocess.run(
        [SOAK, "run", family, "--defect", defect, *length, "--churn", "max", "--quiet", "--json"],
        capture_output=True, text=True, check=False,
        env=dict(os.environ, SOAK_ROOT=ROOT))
    if done.returncode == 2:
        return {"refused": done.stderr.strip().removeprefix("soak: ")}
    try:
        document = json.loads(done.stdout)
    except json.JSONDecodeError:
        return {"broken": done.stderr.strip() or f"exit {done.returncode}"}
    server = next((s for s in document["subjects"] if s["name"] == "server"), {})
    site = next((s for s in server.get("sites", []) if s["verdict"] == "LEAK"), None) or {}
    return {"verdict": document["verdict"], "kind": server.get("kind"), "file": site.get("file")}


def judge(defect, family, said):
    """The cell's text, and whether it is as expected."""
    kind, file, reaches = DEFECTS[defect]
    if "refused" in said:
        return "not asked", not reaches(family)
    if "broken" in said:
        return "BROKEN", False
    if said["verdict"] == "LEAK":
        own = said["kind"] == kind and file in (said["file"] or "")
        if own and reaches(family):
            return "caught", True
        return f"{'CAUGHT' if own else 'FALSE'} ({said['kind']}, {said['file']})", False
    if said["verdict"] != "PASS":
        return said["verdict"], False
    return ("MISSED", False) if reaches(family) else ("-", True)


def load(path):
    if path and os.path.exists(path):
        with open(path, encoding="utf-8") as cells:
            return json.load(cells)
    return {}


def fill(options):
    cells = load(options.cells)
    for defect in options.only or DEFECTS:
        for family in options.family:
            key = f"{defect} {family}"
            if key not in cells:
                cells[key] = run(family, defect, options.closed)
                print(key, cells[key], file=sys.stderr)
            if options.cells:
                with open(options.cells, "w", encoding="utf-8") as out:
                    json.dump(cells, out, indent=1)
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells")
    parser.add_argument("--closed", default="6k")
    parser.add_argument("--only", action="append", choices=DEFECTS)
    parser.add_argument("family", nargs="+")
    options = parser.parse_args()
    cells = fill(options)
    bad = broken = 0
    print("| bug | " + " | ".join(options.family) + " |")
    print("|---|" + "---|" * len(options.family))
    for defect in options.only or DEFECTS:
        row = [judge(defect, family, cells[f"{defect} {family}"]) for family in options.family]
        bad += sum(not good for _, good in row)
        broken += sum(text == "BROKEN" for text, _ in row)
        print(f"| `{defect}` | " + " | ".join(text for text, _ in row) + " |")
    sys.exit(4 if broken else 1 if bad else 0)


if __name__ == "__main__":
    main()
