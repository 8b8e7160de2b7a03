# SPDX-License-Identifier: Apache-2.0
"""Every kind of page that soak makes, a line each: what the tests look at in a browser. All are of made-up runs, so
that it takes no time."""

import functools
import json
import os
import pathlib
import random
import subprocess

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])


@functools.cache
def write_run_pages(folder):
    """The pages of runs and of a suite: by the name of the case, then bare, full, or evil with <script> in every
    text that is a run's."""
    subprocess.run([BUILD / "bin/test_html", "--pages", folder], check=True)
    return {path.stem: path for path in sorted(pathlib.Path(folder).glob("*.html"))}


def of_run(case):
    return lambda folder: write_run_pages(folder)[case]


def of_comparison(*versions):
    def make(folder):
        path = pathlib.Path(folder, f"compare-{len(versions)}.html")
        subprocess.run([BUILD / "bin/compare-stub", "compare", "smoke", "--openssl", ",".join(versions), "--results",
                        pathlib.Path(folder, "r"), "--seed", "1", f"--html={path}"], check=False, capture_output=True,
                       cwd=folder, env=dict(os.environ, SOAK_ROOT=str(SOURCE), SOAK_STUB_LOG=os.devnull))
        return path
    return make


def of_history(folder):
    """Thirty nights; on the twentieth the allocations of a handshake step."""
    runs, path = pathlib.Path(folder, "nights"), pathlib.Path(folder, "history.html")
    runs.mkdir(exist_ok=True)
    subprocess.run([BUILD / "bin/compare-stub", "document", "3.0.22", runs / "one.json"], check=True)
    chance = random.Random(7)
    for night in range(1, 31):
        document = json.loads((runs / "one.json").read_text(encoding="utf-8"))
        document.update(time=f"2026-11-{night:02}T02:17:00Z", host="night")
        document["run"]["handshake_ns"]["p50"] = int(9.8e6 * chance.gauss(1, 0.05))
        document["footprint"]["ends"][0]["allocs"] = 690 + (night >= 20)
        (runs / str(night)).mkdir(exist_ok=True)
        (runs / str(night) / "result.json").write_text(json.dumps(document), encoding="utf-8")
    environment = dict(os.environ, SOAK_HISTORY=str(runs / "history.db"))
    subprocess.run([BUILD / "bin/soak", "history", "add", runs], check=True, capture_output=True, env=environment)
    subprocess.run([BUILD / "bin/soak", "history", f"--html={path}"], check=True, capture_output=True, env=environment)
    return path


# Name: what makes it in a folder and tells where it lies.
PAGES = {
    "pass": of_run("pass-full"),
    "leak": of_run("lost-state-full"),
    "inconclusive": of_run("inconclusive-full"),
    "invalid": of_run("invalid-full"),
    "crashed": of_run("crashed-full"),
    "held": of_run("held-full"),
    "suite": of_run("suite-full"),
    "compare": of_comparison("3.0.17", "3.0.20"),
    "compare-many": of_comparison("3.0.17", "3.0.20", "3.0.22"),
    "history": of_history,
    "live": of_run("live-full"),
}


def write_pages(folder):
    return {name: make(folder) for name, make in PAGES.items()}
