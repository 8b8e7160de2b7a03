# SPDX-License-Identifier: Apache-2.0
"""The version from git, the packages that `cpack` makes of this build, and the SPDX document. That two builds are
the same is scripts/reproducible.sh's to say, and that the package installs, scripts/deb-check.sh's: the nightly
job runs both."""

import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "a",
       "GIT_AUTHOR_EMAIL": "a@localhost", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@localhost"}
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | GIT


def run(*words, cwd=None):
    return subprocess.run(words, cwd=cwd, env=ENVIRONMENT, text=True, check=True, capture_output=True,
                          timeout=PATIENCE_S).stdout


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="soak-package-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()


class Version(InFolder):
    def setUp(self):
        super().setUp()
        self.source = self.folder / "source"
        (self.source / "cmake").mkdir(parents=True)
        self.write((SOURCE / "cmake/version.txt").read_text(encoding="utf-8"))

    def write(self, text):
        (self.source / "cmake/version.txt").write_text(text, encoding="utf-8")

    def git(self, *words):
        return run("git", *words, cwd=self.source).strip()

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "x")
        return "g" + self.git("rev-parse", "--short=10", "HEAD")

    def version(self):
        run("cmake", "-D", f"SOURCE={self.source}", "-D", "PROJECT=1.2.3", "-D", f"FOLDER={self.folder}", "-P",
            SOURCE / "cmake/version.cmake")
        text = (self.folder / "version.txt").read_text(encoding="utf-8").strip()
        self.assertIn(f'"{text}"', (self.folder / "version.c").read_text(encoding="utf-8"))
        return text

    def test_it_is_that_of_the_tag_and_the_commits_since(self):
        self.git("init", "--quiet")
        commit = self.commit()
        self.assertEqual(self.version(), f"1.2.3+{commit}")
        self.git("tag", "v0.5.0")
        self.assertEqual(self.version(), "0.5.0")
        self.git("tag", "something-else")
        commit = self.commit()
        self.assertEqual(self.version(), f"0.5.0+1.{commit}")
        self.write("changed\n")
        self.assertEqual(self.version(), f"0.5.0+1.{commit}.dirty")
        self.git("commit", "--quiet", "--all", "-m", "x")
        self.git("tag", "v0.6.0")
        self.write("changed again\n")
        self.assertEqual(self.version(), "0.6.0+dirty")

    def test_without_a_repository_it_is_what_was_written_or_the_projects(self):
        self.assertEqual(self.version(), "1.2.3")
        for text, version in (("v0.5.0", "0.5.0"), ("v0.5.0-3-g0123456789", "0.5.0+3.g0123456789"),
                              ("0.5.0+3.g0123456789\n", "0.5.0+3.g0123456789"), ("", "1.2.3"), ("\n", "1.2.3")):
            self.write(text)
            self.assertEqual(self.version(), version)

    def test_a_repository_around_it_says_nothing(self):
        run("git", "init", "--quiet", cwd=self.folder)
        run("git", "commit", "--quiet", "--allow-empty", "-m", "x", cwd=self.folder)
        self.assertEqual(self.version(), "1.2.3")

    def test_what_is_not_changed_is_not_written(self):
        self.version()
        before = (self.folder / "version.c").stat().st_mtime_ns
        self.version()
        self.assertEqual((self.folder / "version.c").stat().st_mtime_ns, before)

    def test_all_programs_say_the_same(self):
        version = (BUILD / "version.txt").read_text(encoding="utf-8").strip()
        for program in ("soak", "soak-server", "soak-client", "soak-footprint"):
            self.assertRegex(run(BUILD / "bin" / program, "--version"), rf"^{program} {re.escape(version)}\b")


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="soak-package-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.folder, cwd=cls.folder)

    def only(self, pattern):
        found = list(self.folder.glob(pattern))
        self.assertEqual(len(found), 1)
        return found[0]

    def test_the_tarball_runs_where_it_is_unpacked(self):
        run("tar", "-xzf", self.only("soak-*.tar.gz"), "-C", self.folder)
        program = self.only("soak-*/usr/bin/soak")
        self.assertEqual(run(program, "--version"), run(BUILD / "bin/soak", "--version"))
        self.assertIn("scenarios", run(program, "list"))

    def test_the_debian_package_depends_on_its_libraries(self):
        package = self.only("soak_*.deb")
        depends = run("dpkg-deb", "--field", package, "Depends")
        for library in ("libssl", "libuv1", "libjansson4", "libinih1", "libdw1"):
            self.assertIn(library, depends)
        listed = run("dpkg-deb", "--contents", package)
        self.assertRegex(listed, r"(?m)^-rwxr-xr-x root/root .* \./usr/bin/soak$")
        self.assertRegex(listed, r"(?m) \./usr/lib/soak/soak-server$")


    def test_lintian_finds_nothing_that_is_not_explained(self):
        if not shutil.which("lintian"):
            self.skipTest("there is no lintian (scripts/needs.txt)")
        process = subprocess.run(["lintian", "--fail-on", "error,warning", "--tag-display-limit", "0",
                                  self.only("soak_*.deb")], capture_output=True, text=True, check=False,
                                 timeout=PATIENCE_S)
        self.assertEqual((process.returncode, process.stdout), (0, ""), process.stderr)
        overrides = (SOURCE / "packaging/debian/soak.lintian-overrides").read_text(encoding="utf-8").splitlines()
        for before, line in zip(["", *overrides], overrides):
            self.assertTrue(line.startswith("#") or before.startswith("#"), f"{line}: not explained")

    def test_what_debian_asks_for_is_there(self):
        run("dpkg-deb", "--extract", self.only("soak_*.deb"), self.folder / "root")
        doc = self.folder / "root/usr/share/doc/soak"
        control = run("dpkg-deb", "--field", self.only("soak_*.deb"), "Version", "Maintainer")
        version, maintainer = (line.split(": ", 1)[1] for line in control.splitlines())
        changelog = gzip.decompress((doc / "changelog.gz").read_bytes()).decode()
        self.assertTrue(changelog.startswith(f"soak ({version}) "), changelog)
        self.assertIn(f"\n -- {maintainer}  ", changelog)
        self.assertIn("License: Apache-2.0\n", (doc / "copyright").read_text(encoding="utf-8"))
        self.assertEqual(os.readlink(doc / "LICENSE"), "../../common-licenses/Apache-2.0")
        page = self.folder / "root/usr/share/man/man1/soak.1.gz"
        self.assertEqual(gzip.decompress(page.read_bytes()).decode(), run(BUILD / "bin/soak", "--man"))


class Sbom(unittest.TestCase):
    """The fields that SPDX 2.3 requires, and what they say."""

    @classmethod
    def setUpClass(cls):
        if not (SOURCE / ".git").exists():
            raise unittest.SkipTest("this is no clone: no files are known")
        cls.text = run("python3", SOURCE / "scripts/sbom.py", "1.2.3")
        cls.document = json.loads(cls.text)

    def test_what_is_required_is_there(self):
        self.assertEqual((self.document["spdxVersion"], self.document["dataLicense"], self.document["SPDXID"]),
                         ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
        self.assertRegex(self.document["documentNamespace"], r"^https://[^#]+$")
        self.assertRegex(self.document["creationInfo"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertRegex(self.document["creationInfo"]["creators"][0], "^(Tool|Person|Organization): ")
        for package in self.document["packages"]:
            self.assertTrue(package["name"] and package["downloadLocation"], package)
            self.assertEqual(package["filesAnalyzed"], "packageVerificationCode" in package)
        for file in self.document["files"]:
            self.assertTrue(file["fileName"].startswith("./"), file)
            self.assertEqual([entry["algorithm"] for entry in file["checksums"]], ["SHA1", "SHA256"])

    def test_ids_are_unique_and_relationships_lead_somewhere(self):
        ids = [entry["SPDXID"] for key in ("packages", "files") for entry in self.document[key]] + ["SPDXRef-DOCUMENT"]
        self.assertEqual(len(ids), len(set(ids)))
        for one in ids:
            self.assertRegex(one, r"^SPDXRef-[A-Za-z0-9.-]+$")
        for relation in self.document["relationships"]:
            self.assertLessEqual({relation["spdxElementId"], relation["relatedSpdxElement"]}, set(ids))

    def test_the_checksums_are_those_of_the_files(self):
        self.assertEqual({file["fileName"][2:] for file in self.document["files"]},
                         set(run("git", "ls-files", "-z", cwd=SOURCE).split("\0")[:-1]))
        for file in self.document["files"]:
            if not (SOURCE / file["fileName"]).is_symlink():
                self.assertEqual(file["checksums"][1]["checksumValue"],
                                 hashlib.sha256((SOURCE / file["fileName"]).read_bytes()).hexdigest())
        sums = sorted(file["checksums"][0]["checksumValue"] for file in self.document["files"])
        code = self.document["packages"][0]["packageVerificationCode"]["packageVerificationCodeValue"]
        self.assertEqual(code, hashlib.sha1("".join(sums).encode(), usedforsecurity=False).hexdigest())

    def test_needs_are_its_packages(self):
        lines = (SOURCE / "scripts/needs.txt").read_text(encoding="utf-8").splitlines()
        needed = {line.split()[2] for line in lines if line and not line.startswith("#")}
        self.assertEqual({package["name"] for package in self.document["packages"]}, needed | {"soak"})
        linked = {r["spdxElementId"] for r in self.document["relationships"] if r["relationshipType"] == "DEPENDENCY_OF"}
        self.assertIn("SPDXRef-Package-libssl-dev", linked)

    def test_it_is_the_same_each_time(self):
        self.assertEqual(run("python3", SOURCE / "scripts/sbom.py", "1.2.3"), self.text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
