# SPDX-License-Identifier: Apache-2.0
"""How the programs and the preloaded probe are built (cmake/harden.cmake), read off the files by readelf:
docs/reference/security.md promises it."""

import json
import os
import pathlib
import platform
import re
import subprocess
import unittest

from patience import PATIENCE_S

BIN = pathlib.Path(os.environ["SOAK_BIN"])
BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
PROGRAMS = ["soak", "soak-server", "soak-client", "soak-footprint"]
LIBRARIES = ["libsoakprobe.so", "libsoakprobe-malloc.so"]
OWN = ["src", "server", "client", "footprint"]


def readelf(options, path):
    return subprocess.run(["readelf", "-W", options, path], capture_output=True, text=True, check=True,
                          timeout=PATIENCE_S).stdout


def option_of(name):
    """A value of the build's configuration."""
    with open(BUILD / "CMakeCache.txt", encoding="utf-8") as f:
        return re.search(rf"^{name}:\w+=(.*)$", f.read(), re.M)[1]


SANITIZED = bool(option_of("SOAK_SANITIZE"))
OPTIMISED = option_of("CMAKE_BUILD_TYPE") != "Debug"


def built():
    return [BIN / name for name in PROGRAMS + (LIBRARIES if not SANITIZED else [])]


def own_objects():
    """Each object of the programs' own, with the command that made it."""
    with open(BUILD / "compile_commands.json", encoding="utf-8") as f:
        entries = json.load(f)
    return [(pathlib.Path(entry["directory"]) / re.search(r" -o (\S+)", entry["command"])[1],
             entry["command"]) for entry in entries
            if pathlib.Path(entry["file"]).is_relative_to(SOURCE)
            and pathlib.Path(entry["file"]).relative_to(SOURCE).parts[0] in OWN]


class Hardening(unittest.TestCase):
    def matches(self, options, regex, files=None):
        for path in files or built():
            with self.subTest(path.name):
                self.assertRegex(readelf(options, path), regex)

    def test_programs_are_position_independent(self):
        programs = [BIN / name for name in PROGRAMS]
        self.matches("-h", r"Type: +DYN", programs)
        self.matches("-d", r"\(FLAGS_1\).*\bPIE\b", programs)

    def test_what_the_loader_has_bound_is_read_only(self):
        self.matches("-l", r"\n +GNU_RELRO ")
        self.matches("-d", r"\(FLAGS\).*\bBIND_NOW\b")

    def test_no_memory_is_both_written_and_run(self):
        self.matches("-l", r"\n +GNU_STACK +(0x\w+ +){5}RW +0x")
        self.matches("-l", r"(?s)\A(?!.*\n +LOAD +(0x\w+ +){5}RWE)")

    def test_a_frame_written_beyond_its_end_ends_the_program(self):
        self.matches("--dyn-syms", r"\b__stack_chk_fail\b")

    @unittest.skipIf(SANITIZED, "sanitizers check it themselves")
    @unittest.skipUnless(OPTIMISED, "FORTIFY needs an optimised build")
    def test_a_copy_beyond_a_block_ends_the_program(self):
        self.matches("--dyn-syms", r"\b__(mem|str|v?s|read)\w+_chk\b")
        for path, command in own_objects():
            with self.subTest(path.name):
                self.assertEqual(re.findall(r"-D_FORTIFY_SOURCE=(\d)", command)[-1:], ["3"])

    @unittest.skipUnless(platform.machine() == "x86_64", "CET is of x86_64")
    def test_jumps_land_where_they_may(self):
        objects = [path for path, _ in own_objects() if path.exists()]
        self.assertGreater(len(objects), 100)
        self.matches("-n", r"x86 feature: IBT, SHSTK", objects)


if __name__ == "__main__":
    unittest.main()
