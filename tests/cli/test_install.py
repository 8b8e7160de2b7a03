# SPDX-License-Identifier: Apache-2.0
"""`cmake --install`: an installed soak runs from any prefix, finds its programs and scenarios, and writes nothing
beside itself."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
# The churn of a short run: what is asked here is whether there is one.
RUN = ["--conns", "10", "--closed", "600", "--churn", "600/s", "--sensitivity", "1/1"]


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="soak install ")
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        cls.prefix = cls.root / "first"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix], check=True, capture_output=True)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=self.root)
        self.addCleanup(folder.cleanup)
        self.here = pathlib.Path(folder.name)
        self.environment = {name: value for name, value in os.environ.items() if name != "SOAK_ROOT"}
        self.environment |= {"SOAK_CACHE": str(self.here / "cache"), "XDG_STATE_HOME": str(self.here / "state")}

    def soak(self, *words, prefix=None):
        return subprocess.run([(prefix or self.prefix) / "bin/soak", *words], cwd=self.here, text=True,
                              env=self.environment, capture_output=True, timeout=PATIENCE_S, check=False)

    def make_library(self):
        """A prefix whose libuv has nothing."""
        prefix = self.here / "prefix"
        (prefix / "include").mkdir(parents=True)
        (prefix / "lib").mkdir()
        (prefix / "include/uv.h").write_text("/* nothing */\n", encoding="utf-8")
        subprocess.run(["cc", "-shared", "-Wl,-soname,libuv.so.1", "-x", "c", "/dev/null", "-o",
                        prefix / "lib/libuv.so.1"], check=True)
        return prefix

    def run_and_see(self, prefix):
        before = tree(prefix)
        result = self.soak("run", "smoke", *RUN, "--json", prefix=prefix)
        self.assertIn(result.returncode, (0, 3), result.stdout + result.stderr)
        self.assertEqual(json.loads(result.stdout)["schema"], "soak/1")
        self.assertTrue((self.here / "state/soak/runs/last/result.json").exists())
        self.assertFalse((self.here / "results").exists())
        self.assertEqual(tree(prefix), before)

    def test_what_is_installed(self):
        present = tree(self.prefix)
        for name in ("lib/soak/soak-server", "lib/soak/soak-client", "lib/soak/soak-footprint",
                     "share/man/man1/soak.1", "share/bash-completion/completions/soak",
                     "share/zsh/site-functions/_soak", "share/fish/vendor_completions.d/soak.fish", "share/soak/schema/soak-1.schema.json",
                     "share/doc/soak/README.md", "share/doc/soak/LICENSE",
                     "share/doc/soak/examples/kubernetes/nights.yaml", "share/doc/soak/examples/slurm/suite.sh",
                     "share/doc/soak/examples/ssh/run.sh",
                     "share/doc/soak/examples/systemd/soak-nightly.timer"):
            self.assertIn(name, present)
        self.assertEqual(tree(self.prefix / "bin"), ["soak"])
        for path in (SOURCE / "scenarios").rglob("*.*"):
            self.assertIn("share/soak/" + str(path.relative_to(SOURCE)), present)

    def test_a_run_from_another_folder(self):
        self.run_and_see(self.prefix)

    def test_a_prefix_that_was_moved(self):
        moved = self.here / "moved"
        shutil.copytree(self.prefix, moved)
        self.run_and_see(moved)

    def test_without_a_state_folder_runs_are_kept_in_the_home(self):
        home = self.here / "home"
        self.environment |= {"XDG_STATE_HOME": "relative/is/ignored", "HOME": str(home)}
        self.soak("run", *RUN, "--quiet")
        self.assertTrue((home / ".local/state/soak/runs/last/result.json").exists())

    def test_the_probe_is_found_and_a_machine_is_looked_at(self):
        """LD_PRELOAD is split at blanks, which is told where soak was moved to a path with one."""
        with tempfile.TemporaryDirectory(prefix="soak-install-") as folder:
            shutil.copytree(self.prefix, folder, dirs_exist_ok=True)
            probe = (self.prefix / "lib/soak/libsoakprobe.so").exists()  # a sanitizer's build has none
            for prefix, state in ((folder, "ok" if probe else "warning"), (self.prefix, "warning")):
                result = self.soak("doctor", "--json", prefix=pathlib.Path(prefix))
                found = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
                self.assertEqual((result.returncode, found["programs"]["state"]), (0, "ok"), result.stdout)
                self.assertEqual(found["preload"]["state"], state, result.stdout)
        self.assertRegex(found["preload"]["text"], "a path with a blank" if probe else "isn't there")

    def test_it_is_typed_without_the_launcher(self):
        self.assertRegex(self.soak("show", "smoke", "--as-command").stdout, "^soak run ")

    def test_destdir_stands_before_the_prefix(self):
        destination = self.here / "package"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", "/opt/soak"], check=True, capture_output=True,
                       env=dict(os.environ, DESTDIR=str(destination)))
        self.assertEqual(tree(destination / "opt/soak"), tree(self.prefix))
        self.assertEqual(self.soak("list", prefix=destination / "opt/soak").stdout, self.soak("list").stdout)

    def test_the_man_page_and_completions_are_those_of_the_program(self):
        for path, *words in (("man/man1/soak.1", "--man"),
                             ("bash-completion/completions/soak", "--completion", "bash"),
                             ("zsh/site-functions/_soak", "--completion", "zsh"),
                             ("fish/vendor_completions.d/soak.fish", "--completion", "fish")):
            self.assertEqual((self.prefix / "share" / path).read_text(encoding="utf-8"), self.soak(*words).stdout)

    def test_the_server_is_built_for_another_library_in_the_cache(self):
        """Of a library without a name of its own nothing is needed but that it is found missing by the compiler:
        the sources were there, and the build was tried in the cache."""
        prefix = self.make_library()
        before = tree(self.prefix)
        result = self.soak("libs", "add", f"mine={prefix}")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertRegex(result.stderr, "building the server for libuv-mine\n")
        self.assertRegex(result.stderr, f"the build's output is in {self.here}/cache/build/[0-9][^/]*/libuv-mine.log\n")
        self.assertEqual(tree(self.prefix), before)

    def test_two_installs_keep_their_servers_apart(self):
        """Of one version, with one cache: what one has built for a library the other neither removes nor uses."""
        other = self.here / "other"
        shutil.copytree(self.prefix, other)
        (self.here / "cmake").write_text("#!/bin/sh\n", encoding="utf-8")
        (self.here / "cmake").chmod(0o755)
        self.environment["PATH"] = f"{self.here}:{os.environ['PATH']}"
        library = self.make_library()
        said = [self.soak("run", "smoke", "--libuv", library, prefix=prefix).stderr
                for prefix in (self.prefix, other, self.prefix, other)]
        self.assertEqual(["building the server" in text for text in said], [True, True, False, False], said)


if __name__ == "__main__":
    unittest.main()
