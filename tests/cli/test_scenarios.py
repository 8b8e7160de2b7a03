# SPDX-License-Identifier: Apache-2.0
"""`soak list` and `soak show`: what there is, what a scenario comes down to, and the command line that
reproduces it. Every scenario that comes along says in its first sentence what it proves."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S

SOAK = os.path.join(os.environ["SOAK_BUILD"], "bin", "soak")
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"]).resolve()
BEHAVIOUR = re.compile(r'^X\(\w+,\s+"([^"]+)",\s+(\w+),\s+(\d+),\s+\w+,\s+\w+,\s+"([^"]*)"',
                       re.MULTILINE)
SERVER_BEHAVIOUR = re.compile(r'^X\(\w+,\s+"([^"]+)"', re.MULTILINE)

# Command lines whose values are to come through --as-command as they are.
LINES = [
    [],
    ["smoke"],
    ["--conns", "7", "--churn", "max", "--closed", "5000", "--resume", "12.5%", "--seed", "7f3a"],
    ["--mix", "reset=3,clean"],
    ["--mix=none", "--half-close", "4", "--tls", "any"],
    ["smoke", "--reset", "0", "--churn", "60/m"],
    ["--on-drain", "tool 'a b' \"c\" $HOME `x` \\ \n end", "--sensitivity", "1/777"],
    ["--on-drain=--strange", "--no-probe", "--keep-going", "--json", "--quiet"],
    ["--json=a file.json", "--results", "b\tc", "--alpn", "h2,*", "--sni", "é"],
    ["--alpn", "a\x1b[31m'\x7f\\", "--sni", "\x9b1m"],
    ["--expect", "leak kind=one-time site=a/b.c:3", "--limit-rss", "0.5B/conn"],
    ["--color=never", "--until-sure", "--for", "2h1m", "--payload", "1000B"],
]


def soak(*arguments, root=SOURCE, cwd=None, **environment):
    return subprocess.run([SOAK, *arguments], capture_output=True, text=True, timeout=PATIENCE_S,
                          check=False, cwd=cwd, env=dict(os.environ, SOAK_ROOT=str(root), **environment))


def words_of(command):
    """As a shell reads them: what could steer a terminal is written in its $'...'."""
    text = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=True).stdout
    return text.split("\0")[:-1]


def values(text):
    """Of `soak show`: key -> value, and key -> origin."""
    rows = re.findall(r"^([a-z-]+) += (.*?) *# ([^#\n]*)$", text, re.MULTILINE | re.DOTALL)
    return {k: v for k, v, _ in rows}, {k: o for k, _, o in rows}


class Show(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def shown(self, *arguments, **more):
        process = soak("show", *arguments, **more)
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        return process.stdout

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def test_a_command_begins_with_what_soak_was_called_by(self):
        for called, begin in (("", "./soak"), ("../clone/soak", "../clone/soak"), ("/a b/soak", "'/a b/soak'")):
            self.assertEqual(self.shown("smoke", "--as-command", SOAK_COMMAND=called).partition(" run")[0], begin)

    def test_the_command_line_gives_the_same_values_again(self):
        for line in LINES:
            with self.subTest(line=line):
                command = self.shown(*line, "--as-command")
                self.assertTrue(command.rstrip("\n").isprintable(), command)
                words = words_of(command.rstrip("\n"))
                self.assertEqual(words[:2], ["./soak", "run"])
                self.assertEqual(values(self.shown(*words[2:]))[0], values(self.shown(*line))[0])
                self.assertEqual(self.shown(*words[2:], "--as-command"), command)

    def test_a_command_line_whose_values_are_beside_the_file_names_the_file(self):
        self.write("x.conf", "{port}")
        file = self.write("beside.soak", "[load]\nconns = 7\n[server]\nserver = 'sh {here}/x.sh' {port}\n"
                          "template = {here}/x.conf\nenv = A=1\nenv = B=2\n[mix]\nmix = clean\n")
        for line in ([], ["--conns", "30", "--env", "A=3"], ["--env=", "--env", "B=4"], ["--mix", "reset=2"]):
            with self.subTest(line=line):
                command = self.shown(file, *line, "--as-command")
                words = words_of(command.rstrip("\n"))
                self.assertEqual(words[:3], ["./soak", "run", file])
                self.assertEqual(values(self.shown(*words[2:]))[0], values(self.shown(file, *line))[0])

    def test_without_a_scenario_here_is_the_working_folder(self):
        self.write("x.conf", "{port}")
        line = ("--server", "/nonesuch {port}", "--template", "{here}/x.conf")
        for named in ([], ["default"]):
            command = self.shown(*named, *line, "--as-command", cwd=self.folder)
            self.assertEqual(words_of(command.rstrip("\n")), ["./soak", "run", *line])
            process = soak("run", *named, *line, cwd=self.folder)
            self.assertEqual((process.returncode, process.stderr),
                             (2, "soak: --server: /nonesuch: No such file or directory\n"))

    def test_what_is_a_default_is_not_in_the_command_line(self):
        self.assertEqual(self.shown("--as-command", "--conns", "30", "--clean", "50"), "./soak run\n")

    def test_each_value_has_its_origin(self):
        inner = self.write("inner.soak", "[load]\nchurn = max\nconns = 3\n[mix]\nmix = clean=5\n")
        outer = self.write("outer.soak", "include = inner.soak\n[load]\nconns = 4\n[mix]\nreset=1\n")
        value, origin = values(self.shown(outer, "--payload", "9B"))
        self.assertEqual([value[k] for k in ("conns", "churn", "payload", "clean", "reset")],
                         ["4", "max", "9B", "5", "1"])
        self.assertEqual([origin[k] for k in ("conns", "churn", "payload", "clean", "reset", "tls")],
                         [f"{outer}:3", f"{inner}:2", "command line", f"{inner}:5", f"{outer}:5",
                          "default"])
        self.assertEqual((value["half-close"], origin["half-close"]), ("0", f"{inner}:5"))

    def test_what_the_server_does_to_a_client_program_is_shown(self):
        line = ("--client", "curl https://{address}/", "--server-mix", "close,reset=2")
        value, origin = values(self.shown(*line))
        self.assertEqual([(value[k], origin[k]) for k in ("server-mix", "clean")],
                         [("close=1,reset=2", "command line"), ("50", "default")])

    def test_what_is_shown_is_a_scenario_file(self):
        text = self.shown("smoke", "--mix", "reset", "--tls", "1.2")
        path = self.write("again.soak", text)
        self.assertEqual(values(self.shown(path))[0], values(text)[0])

    def test_what_cannot_go_together_is_shown_and_refused(self):
        process = soak("show", "--resume", "5%", "--session", "none")
        self.assertEqual(process.returncode, 2)
        self.assertRegex(process.stdout, r"(?m)^resume += 5% ")
        self.assertIn("soak: show: --resume 5%: nothing to resume", process.stderr)
        process = soak("show", "--resume", "5%", "--session", "none", "--as-command")
        self.assertEqual((process.returncode, process.stdout), (2, ""))

    def test_scenarios_are_found_by_name_in_folders_and_by_path(self):
        self.write("scenarios/family/x.soak", "# It proves. Nothing more.\n[load]\nconns = 5\n")
        self.write("scenarios/y.soak", "; What y proves,\n# in two lines\n[load]\nconns = 6\n")
        self.write("elsewhere/z", "[load]\nconns = 8\n")
        for word, conns in (("family/x", "5"), ("y", "6"), ("scenarios/y.soak", "6"),
                            ("./scenarios/y.soak", "6"), ("elsewhere/z", "8")):
            value, origin = values(self.shown(word, root=self.folder, cwd=self.folder))
            self.assertEqual(value["conns"], conns, word)
            self.assertTrue(origin["conns"].endswith((":2", ":3", ":4")), origin["conns"])
        self.assertEqual(origin["churn"], "default")
        listed = soak("list", "scenarios", root=self.folder).stdout
        self.assertEqual(listed.split("\n"), [
            "  family/x                It proves.", "  y                       What y proves, in two "
            "lines", ""])

    def test_a_named_scenario_below_the_working_folder_is_told_shortly(self):
        self.assertEqual(values(self.shown("smoke", cwd=SOURCE))[1]["conns"][:21],
                         "scenarios/smoke.soak:")


class Run(unittest.TestCase):
    def test_the_next_command_finds_the_scenario_again_and_the_mix_is_what_was_run(self):
        """By its path, which has a blank in it; what the file says isn't typed again."""
        with tempfile.TemporaryDirectory(prefix="soak-cli-") as folder:
            path = pathlib.Path(folder, "a leak.soak")
            path.write_text("# It leaks.\n[load]\nconns = 5\nchurn = max\nclosed = 1k\n[mix]\n"
                            "mix = clean=4\n", encoding="utf-8")
            process = soak("run", str(path), "--defect", "lost-state", "--reset=2", "--quiet",
                           "--json=-", "--results", folder)
            self.assertEqual(process.returncode, 1, process.stdout + process.stderr)
            result = json.loads(process.stdout)
            words = shlex.split(result["next"][0])
            self.assertEqual(words[:3], ["./soak", "run", str(path)])
            self.assertEqual(words[3:-1], ["--defect", "lost-state", "--mix", "clean=4,reset=2",
                                           "--seed"])
            self.assertEqual(words[-1], result["run"]["seed"])
            self.assertEqual(soak("show", *words[2:]).returncode, 0)
            self.assertEqual(result["scenario"], "a leak")
            manifest = json.loads(next(pathlib.Path(folder).glob("*/manifest.json")).read_text())
            self.assertEqual(manifest["options"]["mix"], "clean=4,reset=2")
            done = {b["name"]: b["connections"] for b in result["subjects"][0]["behaviours"]}
            self.assertEqual({name for name, count in done.items() if count}, {"clean", "reset"})


    def test_what_is_advised_after_a_run_can_be_typed_whatever_length_the_file_has(self):
        """Each command is one that soak runs, and what the file says of the length doesn't end that."""
        for length in ("closed = 400", "for = 1s"):
            with tempfile.TemporaryDirectory(prefix="soak-cli-") as folder, self.subTest(length=length):
                path = pathlib.Path(folder, "short.soak")
                path.write_text(f"[load]\nconns = 5\nchurn = max\n{length}\n", encoding="utf-8")
                process = soak("run", str(path), "--quiet", "--json=-", "--results", folder)
                self.assertIn(process.returncode, (0, 3), process.stdout + process.stderr)
                advised = json.loads(process.stdout)["next"]
                self.assertTrue(advised, process.stdout)
                for command in advised:
                    words = shlex.split(command)
                    self.assertEqual(words[:3], ["./soak", "run", str(path)])
                    shown = soak("show", *words[2:])
                    self.assertEqual((shown.returncode, shown.stderr), (0, ""), command)
                    self.assertEqual(values(shown.stdout)[1][length.split()[0]], "command line", command)


class List(unittest.TestCase):
    def test_every_behaviour_has_its_line_in_its_family(self):
        table = (SOURCE / "src/common/options/behaviours.def").read_text(encoding="utf-8")
        entries = BEHAVIOUR.findall(table)
        self.assertGreater(len(entries), 3)
        text = soak("list", "behaviours").stdout
        lines, family = set(), None
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80)
            if re.match(r"\w", line):
                family = line
            elif match := re.match(r"  ([a-z0-9-]+)( |$)", line):
                lines.add((family, match[1]))
        server = SERVER_BEHAVIOUR.findall((SOURCE / "src/common/options/server_behaviours.def").read_text())
        self.assertGreater(len(server), 3)
        self.assertEqual(lines, {(kind.lower(), name) for name, kind, _, _ in entries}
                         | {("server-mix", name) for name in server})
        flat = " ".join(text.split())
        for _, _, _, needs in entries:
            if needs:
                self.assertIn(f"needs {' '.join(needs.split())})", flat)

    def test_the_short_list_has_every_name_of_each(self):
        short = soak("list").stdout
        for line in short.splitlines():
            self.assertLessEqual(len(line), 80)
        document = json.loads(soak("list", "--json").stdout)
        words = set(short.replace(",", " ").split())
        for listed in ("scenarios", "behaviours", "defects"):
            self.assertEqual({entry["name"] for entry in document[listed]} - words, set())

    def test_the_document_has_the_same(self):
        document = json.loads(soak("list", "--json").stdout)
        self.assertEqual(document["schema"], "soak-list/1")
        self.assertEqual({s["name"] for s in document["scenarios"]},
                         {str(p.relative_to(SOURCE / "scenarios"))[:-5]
                          for p in (SOURCE / "scenarios").rglob("*.soak")})
        text = soak("list", "defects").stdout
        for defect in document["defects"]:
            self.assertRegex(text, rf"(?m)^  {defect['name']} ")
        self.assertEqual(set(json.loads(soak("list", "defects", "--json").stdout)),
                         {"schema", "defects"})

    def test_every_scenario_says_what_it_proves_and_holds_together(self):
        scenarios = json.loads(soak("list", "scenarios", "--json").stdout)["scenarios"]
        self.assertEqual(len({scenario["about"] for scenario in scenarios}), len(scenarios))
        for scenario in scenarios:
            self.assertRegex(scenario["about"], r"^.{20,}[.!?]$", scenario["name"])
            process = soak("show", scenario["name"], "--as-command")
            self.assertEqual(process.returncode, 0, process.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
