# SPDX-License-Identifier: Apache-2.0
"""Programs of other versions: `soak libs program` over a folder as a mirror of Debian, and a made-up npm."""

import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
import unittest

from debian_mirror import Mirror, architecture, make_library, missing_tools, run
from patience import PATIENCE_S

SOAK = os.path.join(os.environ["SOAK_BUILD"], "bin", "soak")
SOURCE = os.environ["SOAK_SOURCE"]
MISSING = missing_tools() + [tool for tool in ("patchelf",) if not shutil.which(tool)]
POCKETS = ("bookworm", "bookworm-security", "bookworm-updates")
PROGRAM = 'int tiny(void); int main(void) { return tiny(); }\n'


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix="soak-programs-")
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=self.work)
        self.cache = self.folder + "/cache"

    def soak(self, *words, **environment):
        return subprocess.run([SOAK, "libs", "program", *words], capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S,
                              env=dict(os.environ, SOAK_ROOT=SOURCE, SOAK_CACHE=self.cache, **environment))

    def root(self, word, *options, **environment):
        process = self.soak(word, *options, **environment)
        self.assertEqual(process.returncode, 0, process.stderr)
        name, root = process.stdout.split()
        self.assertEqual(name, word)
        return root

    def refuses(self, sentence, *words, **environment):
        process = self.soak(*words, **environment)
        self.assertRegex(process.stderr.splitlines()[-1], "^soak: libs: " + sentence)
        self.assertEqual(process.returncode, 2)
        self.assertEqual([name for name in os.listdir(self.cache + "/programs")]
                         if os.path.isdir(self.cache + "/programs") else [], [])


@unittest.skipIf(MISSING, f"needs {', '.join(MISSING)}")
class FromDebian(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        triplet = subprocess.run(["cc", "-print-multiarch"], capture_output=True, text=True,
                                 check=True).stdout.strip()
        make_library(cls.work + "/libtiny.so.1", "libtiny.so.1", "int tiny(void) { return 42; }\n")
        run("cc", "-x", "c", "-", "-x", "none", "-o", cls.work + "/tiny", cls.work + "/libtiny.so.1",
            input=PROGRAM.encode())
        cls.mirror = Mirror(cls.work + "/mirror")
        cls.mirror.add("bookworm", "libtiny1", "1.0-1",
                       {f"usr/lib/{triplet}/libtiny.so.1": cls.work + "/libtiny.so.1"})
        program = {"usr/sbin/tinyd": cls.work + "/tiny"}
        cls.mirror.add("bookworm", "tinyd", "1.0-1", program, "libtiny1")
        cls.mirror.add("bookworm-security", "tinyd", "1.0-1+deb12u1", program, "libtiny1")
        linker = f"usr/lib/{triplet}/" + ("ld-linux-x86-64.so.2" if architecture() == "amd64"
                                          else "ld-linux-aarch64.so.1")
        cls.mirror.add("sid", "libc6", "2.99-1", {linker: "not a real one\n"})
        cls.mirror.add("sid", "tinyd", "2.0-1", program, "libc6")
        cls.mirror.add("bookworm", "libc6", "2.19-1", {linker: "an old one\n"})
        cls.mirror.add("bookworm", "old", "1.0-1", program, "libc6, libtiny1")
        cls.linker = linker
        for pocket in POCKETS + ("sid",):
            cls.mirror.publish(pocket)

    def test_a_program_runs_from_the_cache_on_the_libraries_of_its_suite(self):
        root = self.root("debian:bookworm/tinyd", "--mirror", self.mirror.folder)
        self.assertEqual(subprocess.run([root + "/usr/sbin/tinyd"], check=False).returncode, 42)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(root)).st_mode), 0o700)
        with open(os.path.dirname(root) + "/program.json", encoding="ascii") as file:
            record = json.load(file)
        self.assertEqual(record["packages"],
                         [f"libtiny1_1.0-1_{architecture()}.deb",
                          f"tinyd_1.0-1+deb12u1_{architecture()}.deb"])

    def test_a_version_is_another_program_and_the_second_time_nothing_is_fetched(self):
        word = "debian:bookworm/tinyd=1.0-1"
        root = self.root(word, "--mirror", self.mirror.folder)
        again = self.soak(word, "--mirror", "/nowhere")
        self.assertEqual((again.returncode, again.stderr), (0, ""))
        self.assertNotEqual(root, self.root("debian:bookworm/tinyd", "--mirror", self.mirror.folder))

    def test_a_newer_libc_brings_its_dynamic_linker_and_an_older_one_is_left_aside(self):
        def linker(path):
            return subprocess.run(["patchelf", "--print-interpreter", path], capture_output=True, text=True,
                                  check=True).stdout.strip()
        new = self.root("debian:sid/tinyd", "--mirror", self.mirror.folder)
        self.assertEqual(linker(new + "/usr/sbin/tinyd"), f"{new}/{self.linker}")
        old = self.root("debian:bookworm/old", "--mirror", self.mirror.folder)
        self.assertEqual(linker(old + "/usr/sbin/tinyd"), linker("/bin/ls"))
        self.assertFalse(os.path.exists(f"{old}/{self.linker}"))

    def test_what_no_mirror_has_is_told(self):
        self.refuses("bookworm has no tinyd=9.9-1, or no longer", "debian:bookworm/tinyd=9.9-1", "--mirror",
                     self.mirror.folder)
        self.refuses("bookworm has no nosuch, or no longer", "debian:bookworm/nosuch", "--mirror",
                     self.mirror.folder)

    def test_what_is_written_wrong_is_refused_before_anything_is_fetched(self):
        for word, sentence in (("debian:buster/tinyd", ".*'buster' is no suite; there are bullseye"),
                               ("debian:bookworm/-o", ".*'-o' isn't PACKAGE or PACKAGE=VERSION"),
                               ("debian:bookworm/a,b;c", ".*'b;c' isn't PACKAGE"),
                               ("debian:bookworm/a/../b", ".*isn't PACKAGE"),
                               ("debian:bookworm/a=$(x)", ".*isn't PACKAGE"),
                               ("npm:node", ".*npm:NAME@VERSION is needed"),
                               ("npm:../x@1", ".*npm:NAME@VERSION is needed"),
                               ("npm:@/x@1", ".*npm:NAME@VERSION is needed")):
            with self.subTest(word):
                self.refuses(sentence, word)
                self.assertFalse(os.path.exists(self.cache + "/apt"))


class FromNpm(Case):
    """npm is a script here that hands out what the test has packed."""

    def npm(self, script):
        os.makedirs(self.folder + "/bin")
        with open(self.folder + "/bin/npm", "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n" + script)
        os.chmod(self.folder + "/bin/npm", 0o755)
        return self.folder + "/bin:" + os.environ["PATH"]

    def pack(self):
        path = self.folder + "/thing.tgz"
        with tarfile.open(path, "w:gz") as tar:
            member = tarfile.TarInfo("package/bin/thing")
            member.mode = 0o755
            text = b"#!/bin/sh\necho it runs\n"
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
        return path

    def test_a_package_lies_below_the_root(self):
        root = self.root("npm:thing@1.2.3", PATH=self.npm(
            f'test "$*" = "pack --ignore-scripts thing@1.2.3" && cp {self.pack()} thing-1.2.3.tgz\n'))
        self.assertEqual(subprocess.run([root + "/bin/thing"], capture_output=True, text=True,
                                        check=True).stdout, "it runs\n")

    def test_a_version_that_is_gone_is_told(self):
        self.refuses("thing@1.2.3 can't be fetched from npm: .*ETARGET", "npm:thing@1.2.3", PATH=self.npm(
            "echo npm error code ETARGET >&2; exit 1\n"))

    def test_without_a_package_nothing_stays(self):
        self.refuses(".*npm gave no package", "npm:thing@1.2.3", PATH=self.npm("exit 0\n"))


if __name__ == "__main__":
    unittest.main()
