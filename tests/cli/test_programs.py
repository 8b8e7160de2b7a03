# SPDX-License-Identifier: Apache-2.0
"""Programs of other versions: `soak libs program` over a folder as a mirror of Debian, and a made-up npm."""

import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import unittest

from debian_mirror import Mirror, architecture, bare_tar, make_library, missing_tools, run
from libs_case import LibsCase

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
from soak_run import HAS_PROBE, NO_PROBE  # noqa: E402

MISSING = missing_tools() + [tool for tool in ("patchelf",) if not shutil.which(tool)]
POCKETS = ("bookworm", "bookworm-security", "bookworm-updates")
GONE = 77  # as of a test that is skipped
PROGRAM = 'int tiny(void); int main(void) { return tiny(); }\n'


class Case(LibsCase):
    def soak(self, *words, **environment):
        return self.run_soak("libs", "program", *words, **environment)

    def root(self, word, *options, **environment):
        process = self.soak(word, *options, **environment)
        self.assertEqual(process.returncode, 0, process.stderr)
        name, root = process.stdout.split()
        self.assertEqual(name, word)
        return root

    def run_with(self, program, server, *options, **environment):
        """A run of a program that is fetched for it."""
        return self.run_soak("run", "--conns=2", "--closed=20", "--program", program, "--server", server,
                             "--results", self.folder + "/runs", *options, **environment)

    def refuses(self, sentence, *words, code=2, **environment):
        process = self.soak(*words, **environment)
        self.assertRegex(process.stderr.splitlines()[-1], "^soak: libs: " + sentence)
        self.assertEqual(process.returncode, code)
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
        cls.mirror.add("experimental", "tinyd", "3.0-1~exp1", program, "libnext1, libc6")
        cls.mirror.add("experimental", "libnext1", "1.0-1",
                       {f"usr/lib/{triplet}/libtiny.so.1": cls.work + "/libtiny.so.1"})
        for pocket in POCKETS + ("sid", "experimental"):
            cls.mirror.publish(pocket)

    def test_a_program_runs_from_the_cache_on_the_libraries_of_its_suite(self):
        root = self.root("debian:bookworm/tinyd", "--mirror", self.mirror.folder)
        self.assertEqual(subprocess.run([root + "/usr/sbin/tinyd"], check=False).returncode, 42)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(root)).st_mode), 0o700)
        self.assertEqual(self.packages(root), [["libtiny1", "1.0-1"], ["tinyd", "1.0-1+deb12u1"]])

    def packages(self, root):
        with open(os.path.dirname(root) + "/program.json", encoding="ascii") as file:
            return [name.split("_")[:2] for name in json.load(file)["packages"]]

    def test_what_experimental_lacks_comes_from_sid_but_never_the_program_itself(self):
        root = self.root("debian:experimental/tinyd", "--mirror", self.mirror.folder)
        self.assertEqual(self.packages(root), [["libc6", "2.99-1"], ["libnext1", "1.0-1"], ["tinyd", "3.0-1~exp1"]])
        self.cache = self.folder + "/other"
        self.refuses("experimental has no libc6, or no longer", "debian:experimental/libc6", "--mirror",
                     self.mirror.folder, code=GONE)

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
                     self.mirror.folder, code=GONE)
        self.refuses("bookworm has no nosuch, or no longer", "debian:bookworm/nosuch", "--mirror",
                     self.mirror.folder, code=GONE)
        self.refuses(".*", "debian:bookworm/tinyd", "--mirror", "http://127.0.0.1:9/debian")

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

    def pack(self, says="echo it runs"):
        path = self.folder + "/thing.tgz"
        with tarfile.open(path, "w:gz") as tar:
            member = tarfile.TarInfo("package/bin/thing")
            member.mode = 0o755
            text = b"#!/bin/sh\n" + says.encode() + b"\n"
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
        return path

    def test_a_package_lies_below_the_root(self):
        root = self.root("npm:thing@1.2.3", PATH=self.npm(
            f'test "$*" = "pack --ignore-scripts thing@1.2.3" && cp {self.pack()} thing-1.2.3.tgz\n'))
        self.assertEqual(subprocess.run([root + "/bin/thing"], capture_output=True, text=True,
                                        check=True).stdout, "it runs\n")

    def test_no_package_is_unpacked_where_the_link_of_another_leads(self):
        outside = self.folder + "/outside"
        os.mkdir(outside)
        for name, archive in (("a", bare_tar("package/lib", link=outside)),
                              ("b", bare_tar("package/lib/evil", "evil"))):
            with open(f"{self.folder}/{name}.tgz", "wb") as file:
                file.write(archive)
        root = self.root("npm:thing@1.2.3", PATH=self.npm(f"cp {self.folder}/[ab].tgz .\n"))
        self.assertEqual(os.listdir(outside), [])
        self.assertEqual(os.listdir(root + "/lib"), ["evil"])

    def test_a_version_that_is_gone_is_told(self):
        self.refuses("thing@1.2.3 can't be fetched from npm: .*ETARGET", "npm:thing@1.2.3", PATH=self.npm(
            "echo npm error code ETARGET >&2; exit 1\n"), code=GONE)

    def test_a_registry_that_fails_is_another_thing_than_a_version_that_is_gone(self):
        self.refuses("thing@1.2.3 can't be fetched from npm: .*ECONNREFUSED", "npm:thing@1.2.3", PATH=self.npm(
            "echo npm error code ECONNREFUSED >&2; exit 1\n"))

    def test_without_a_package_nothing_stays(self):
        self.refuses(".*npm gave no package", "npm:thing@1.2.3", PATH=self.npm("exit 0\n"))

    def test_a_run_whose_version_is_gone_is_skipped_and_nothing_is_started(self):
        path = self.npm("echo npm error code ETARGET >&2; exit 1\n")
        process = self.run_with("npm:thing@1.2.3", "{program}/bin/thing {port}", PATH=path)
        self.assertRegex(process.stderr.splitlines()[-1], "^soak: thing@1.2.3 can't be fetched from npm: .*ETARGET")
        self.assertEqual(process.returncode, GONE)
        self.assertFalse(os.path.exists(self.folder + "/runs"))
        with open(self.folder + "/gone.soak", "w", encoding="ascii") as file:
            file.write("[load]\nconns = 2\nclosed = 20\n[server]\nprogram = npm:thing@1.2.3\n"
                       "server = {program}/bin/thing {port}\n[suite]\nexpect = leak\n")
        suite = self.run_soak("suite", self.folder + "/gone.soak", "--results", self.folder + "/runs",
                              "--junit=" + self.folder + "/j.xml", PATH=path)
        self.assertEqual(suite.returncode, 3, suite.stdout + suite.stderr)
        self.assertIn("SKIPPED  1 of 1 scenario is skipped", suite.stdout)
        with open(self.folder + "/j.xml", encoding="utf-8") as file:
            self.assertIn(' skipped="2"', file.read())

    @unittest.skipUnless(HAS_PROBE, NO_PROBE)
    def test_a_run_starts_the_program_of_its_root_with_the_root_in_its_environment(self):
        path = self.npm(f'cp {self.pack("echo my root is $THE_ROOT; exit 3")} thing-1.2.3.tgz\n')
        process = self.run_with("npm:thing@1.2.3", "{program}/bin/thing {port}", "--env", "THE_ROOT={program}",
                                PATH=path)
        self.assertEqual(process.returncode, 4, process.stdout + process.stderr)
        log, = (os.path.join(at, "server.log") for at, _, files in os.walk(self.folder + "/runs")
                if "server.log" in files)
        with open(log, encoding="utf-8") as file:
            self.assertIn(f"my root is {self.cache}/programs/npm_thing_1.2.3/root\n", file.read())

    def test_what_the_root_lacks_is_refused_by_its_path(self):
        path = self.npm(f"cp {self.pack()} thing-1.2.3.tgz\n")
        process = self.run_with("npm:thing@1.2.3", "{program}/bin/other {port}", PATH=path)
        self.assertRegex(process.stderr.splitlines()[-1], "programs/npm_thing_1.2.3/root/bin/other")
        self.assertEqual(process.returncode, 2)
        self.assertFalse(os.path.exists(self.folder + "/runs"))

    def test_a_run_reads_the_name_before_it_fetches_and_needs_a_server(self):
        for program, server, sentence in (
                ("npm:thing", "{program}/bin/thing {port}", "--program: npm:thing: npm:NAME@VERSION is needed"),
                ("debian:buster/x", "{program}/x {port}", "--program: debian:buster/x: 'buster' is no suite"),
                ("npm:thing@1.2.3", "{nothing}/bin/thing {port}", "{nothing}"),
                ("npm:thing@1.2.3", "thing {port}", "--program npm:thing@1.2.3: nothing would run of it"),
                ("npm:thing@1.2.3", "", "--program.* has a meaning only with --server or --client")):
            with self.subTest(program=program, server=server):
                if server:
                    process = self.run_with(program, server)
                else:
                    process = self.run_soak("run", "--program", program)
                self.assertRegex(process.stderr.splitlines()[-1], sentence)
                self.assertEqual(process.returncode, 2)
                self.assertFalse(os.path.exists(self.cache + "/programs"))


if __name__ == "__main__":
    unittest.main()
