# SPDX-License-Identifier: Apache-2.0
"""Stacks lead through the code that virtual machines make at run time, and out of it again."""

import pathlib
import shutil
import sys
import tempfile
import unittest

from probed import LIBRARY, MALLOC_LIBRARY, Probed

CAPTURES = 1 << 32
NODE = """
const crypto = require('crypto'), kept = [];
function make() { kept.push(crypto.createHash('sha256')); }
process.stdin.once('data', () => {
    for (let i = 0; i < 50; i++) make();
    console.log(require('fs').readFileSync('/proc/self/maps', 'utf8'));
    process.reallyExit(0);
});
console.log('ready');
"""
JAVA = """
import java.nio.file.*;
import java.util.zip.Deflater;
class Made {
    static final Deflater[] kept = new Deflater[50];
    static void make(int i) { kept[i] = new Deflater(); }
    public static void main(String[] words) throws Exception {
        System.out.println("ready");
        System.in.read();
        for (int i = 0; i < kept.length; i++) make(i);
        System.out.println(Files.readString(Path.of("/proc/self/maps")));
        Runtime.getRuntime().halt(0);
    }
}
"""


class Maps:
    """Where addresses of a process lie."""

    def __init__(self, text):
        self.parts = []
        for line in text.splitlines():
            words = line.split()
            if len(words) >= 5 and "-" in words[0]:
                begin, end = (int(word, 16) for word in words[0].split("-"))
                self.parts.append((begin, end, words[5] if len(words) > 5 else ""))

    def file(self, address):
        """The path, or "" where no file is mapped; None where nothing is."""
        return next((path for begin, end, path in self.parts if begin <= address < end), None)


class Jit(unittest.TestCase):
    def need(self, program, package):
        if not shutil.which(program):
            print(f"SKIP {program} isn't installed (package {package})", file=sys.stderr)
            self.skipTest(f"{program} isn't installed (package {package})")

    def walks(self, preload, site_of, *command):
        """The stacks that were taken from when the program was ready: for each, the files of its frames."""
        with Probed(preload) as probed:
            child = probed.start(*command)
            line = child.stdout.readline()
            self.assertEqual(line, "ready\n")
            for i in range(1, probed.page.sites):
                if probed.page.site[i].file.decode().endswith(site_of):
                    probed.page.capture.wanted[i // 64] |= 1 << i % 64
            probed.page.epoch |= CAPTURES
            text, _ = child.communicate("go\n")
            self.assertEqual(child.returncode, 0, text)
            maps = Maps(text)
            return [[maps.file(frame - 1) for frame in stack.frame[:stack.frames]]
                    for stack in probed.page.capture.stack if stack.ready]

    def assert_through(self, walks, native, below):
        """A stack that goes from a native library through code that is no file's to the one below."""
        for files in walks:
            made = [i for i, path in enumerate(files) if path == ""]
            if made and None not in files and any(native in path for path in files[:made[0]]) and any(
                    below in path for path in files[made[-1]:]):
                return
        self.fail("\n".join(" ".join(map(str, files)) for files in walks[:20]))

    def test_node(self):
        self.need("node", "nodejs")
        walks = self.walks(LIBRARY, "crypto/evp/digest.c", "node", "--interpreted-frames-native-stack", "-e", NODE)
        self.assert_through(walks, "/node", "/node")

    def test_java(self):
        self.need("javac", "openjdk-17-jdk-headless")
        with tempfile.TemporaryDirectory() as here:
            source = pathlib.Path(here) / "Made.java"
            source.write_text(JAVA, encoding="ascii")
            walks = self.walks(MALLOC_LIBRARY, "malloc", "java", "-XX:+PreserveFramePointer", "-XX:TieredStopAtLevel=0",
                               str(source))
        self.assert_through(walks, "libz", "libjvm.so")


if __name__ == "__main__":
    unittest.main()
