# SPDX-License-Identifier: Apache-2.0
"""Every file that a user can name may be anything: a FIFO, a device, a folder, 10 GB. Each is refused by
one sentence and exit 2, without waiting for anybody, and nothing is started."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = os.environ["SOAK_SOURCE"]
SOAK = str(BUILD / "bin" / "soak")
HUGE = 10 << 30


def fifo(path):
    os.mkfifo(path)


def device(path):
    os.symlink("/dev/zero", path)


def huge(path):
    with open(path, "wb") as file:
        file.truncate(HUGE)


KINDS = {"pipe or a device": (fifo, device), "is larger than": (huge,), "folder": (os.mkdir,)}


class Inputs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-inputs-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def soak(self, *arguments):
        return subprocess.run([SOAK, *map(str, arguments)], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False, cwd=self.folder,
                              env=dict(os.environ, SOAK_ROOT=SOURCE,
                                       SOAK_CACHE=str(self.folder / "cache")))

    def refused(self, said, *arguments):
        process = self.soak(*arguments)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertRegex(process.stderr, rf"\Asoak: .*{said}.*\n\Z")
        self.assertEqual(process.stdout, "")

    def each(self, place, without=()):
        """Makes each kind of file at a place; gives what must be said of it."""
        for said, makers in KINDS.items():
            for make in makers:
                if make in without:
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                make(place)
                yield said
                if place.is_dir() and not place.is_symlink():
                    place.rmdir()
                else:
                    place.unlink()

    def test_a_scenario(self):
        for said in self.each(self.folder / "x.soak"):
            self.refused(f"x.soak: .*{said}", "run", "./x.soak")
            self.refused(f"x.soak: .*{said}", "show", "./x.soak")

    def test_a_scenario_of_a_suite(self):
        for said in self.each(self.folder / "x.soak", without=[os.mkdir]):
            self.refused(f"(x.soak|/dev/zero): .*{said}", "suite", "./x.soak")

    def test_an_included_file(self):
        (self.folder / "outer.soak").write_text("include = inner.soak\n", encoding="utf-8")
        for said in self.each(self.folder / "inner.soak"):
            self.refused(f"outer.soak:1: include = inner.soak: .*{said}", "run", "./outer.soak")

    def test_a_catalog_with_such_files_is_listed(self):
        root = self.folder / "root"
        for _ in self.each(root / "scenarios" / "x.soak", without=[os.mkdir]):
            process = subprocess.run([SOAK, "list", "scenarios"], capture_output=True, text=True,
                                     timeout=PATIENCE_S, check=False,
                                     env=dict(os.environ, SOAK_ROOT=str(root)))
            self.assertEqual(process.returncode, 0, process.stderr)

    def test_the_documents_of_a_run_folder(self):
        good = self.folder / "good"
        good.mkdir()
        (good / "result.json").write_text("{}", encoding="utf-8")
        for said in self.each(self.folder / "bad" / "result.json"):
            self.refused(f"bad/result.json: .*{said}", "compare", "bad", "good")

    def test_the_documents_that_are_merged(self):
        for said in self.each(self.folder / "suite.json", without=[os.mkdir]):
            self.refused(f"suite.json: .*{said}", "merge", "suite.json")

    def test_package_files(self):
        for said in self.each(self.folder / "libssl3_1_amd64.deb"):
            self.refused(f"libssl3_1_amd64.deb: .*{said}", "libs", "add", "libssl3_1_amd64.deb")

    def prefix(self):
        include = self.folder / "inst" / "include" / "openssl"
        include.mkdir(parents=True)
        (self.folder / "inst" / "lib").mkdir()
        return include.parent.parent

    def test_the_library_of_a_prefix(self):
        inst = self.prefix()
        for _ in self.each(inst / "lib" / "libssl.so.3"):
            self.refused("inst: there is no libssl", "libs", "add", "mine=./inst")
            self.refused("inst: there is no libssl", "--openssl", "./inst")

    def test_the_header_of_a_prefix(self):
        inst = self.prefix()
        maps = subprocess.run(["ldd", str(BUILD / "bin" / "soak-server")], capture_output=True,
                              text=True, check=True).stdout
        for name in ("libssl", "libcrypto"):
            path = next(word for word in maps.split() if word.startswith("/") and name in word)
            shutil.copy(path, inst / "lib" / pathlib.Path(path).name)
        for _ in self.each(inst / "include" / "openssl" / "ssl.h"):
            self.refused("inst: there is no include/openssl/ssl.h", "--openssl", "./inst")

    def test_a_record_of_the_cache(self):
        for said in self.each(self.folder / "cache" / "libs" / "openssl-9.9" / "lib.json"):
            self.refused(f"lib.json: .*{said}", "--openssl", "9.9")


class Outputs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-outputs-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "a.soak").write_text("[load]\nconns = 5\nclosed = 100\nchurn = max\n",
                                            encoding="utf-8")

    def start(self, *arguments):
        return subprocess.Popen([SOAK, *arguments, "--results", str(self.folder / "runs")],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                cwd=self.folder, env=dict(os.environ, SOAK_ROOT=SOURCE))

    def test_a_pipe_that_nobody_reads_is_refused_before_the_run(self):
        os.mkfifo(self.folder / "pipe")
        for arguments in (("run", "--json=pipe"), ("suite", "./a.soak", "--json=pipe"),
                          ("suite", "./a.soak", "--junit=pipe")):
            process = self.start(*arguments)
            _, err = process.communicate(timeout=PATIENCE_S)
            self.assertEqual(process.returncode, 2, err)
            self.assertRegex(err, r"--(json|junit)=pipe: it can't be written: nobody reads this pipe")
            self.assertFalse((self.folder / "runs").exists())

    def test_a_pipe_that_somebody_reads_gets_the_whole_document(self):
        os.mkfifo(self.folder / "pipe")
        with subprocess.Popen(["cat", "pipe"], cwd=self.folder, stdout=subprocess.PIPE) as reader:
            fd = os.open(self.folder / "pipe", os.O_RDWR)  # so that cat's open is over
            process = self.start("./a.soak", "--quiet", "--json=pipe")
            os.set_blocking(fd, False)
            _, err = process.communicate(timeout=PATIENCE_S)
            os.close(fd)
            document = json.loads(reader.communicate(timeout=PATIENCE_S)[0])
        self.assertEqual(document["schema"], "soak/1", err)

    def test_a_folder_and_a_missing_folder_are_refused(self):
        for target in (".", "missing/x.json"):
            process = self.start("run", f"--json={target}")
            _, err = process.communicate(timeout=PATIENCE_S)
            self.assertEqual(process.returncode, 2, err)
            self.assertIn(f"--json={target}: it can't be written", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
