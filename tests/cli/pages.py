# SPDX-License-Identifier: Apache-2.0
"""Every kind of page that soak makes, a line each: what the tests look at in a browser. All are of made-up runs, so
that it takes no time."""

import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])


def write_run_pages(folder):
    """The pages of runs and of a suite: by the name of the case, then bare, full, or evil with <script> in every
    text that is a run's."""
    subprocess.run([BUILD / "bin/test_html", "--pages", folder], check=True)
    return {path.stem: path for path in sorted(pathlib.Path(folder).glob("*.html"))}


def of_run(case):
    return lambda folder: write_run_pages(folder)[case]


def of_comparison(folder):
    path = pathlib.Path(folder, "compare.html")
    subprocess.run([BUILD / "bin/compare-stub", "compare", "smoke", "--openssl", "3.0.17,3.0.20", "--results",
                    pathlib.Path(folder, "r"), "--seed", "1", f"--html={path}"], check=False, capture_output=True,
                   cwd=folder, env=dict(os.environ, SOAK_ROOT=str(SOURCE), SOAK_STUB_LOG=os.devnull))
    return path


# Name: what makes it in a folder and tells where it lies.
PAGES = {
    "pass": of_run("pass-full"),
    "leak": of_run("lost-state-full"),
    "inconclusive": of_run("inconclusive-full"),
    "invalid": of_run("crashed-full"),
    "suite": of_run("suite-full"),
    "compare": of_comparison,
}


def write_pages(folder):
    return {name: make(folder) for name, make in PAGES.items()}
