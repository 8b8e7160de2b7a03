# SPDX-License-Identifier: Apache-2.0
"""Every file that a command writes as JSON has a schema in results/schema, which it fits; no key is
written that its schema doesn't describe, and every property of every schema has a description."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S
from schemas import FOLDER, VALIDATOR, read_schema, strict

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK, STUB = BUILD / "bin/soak", BUILD / "bin/compare-stub"
SCHEMAS = {name: read_schema(name) for name in (path.name.removesuffix(".schema.json")
                                           for path in FOLDER.glob("*.schema.json"))}
SMALL = ("--conns", "3", "--churn", "max", "--closed", "300")


def properties(schema, path=""):
    """Every property in the schema, with where it stands."""
    if isinstance(schema, list):
        for inner in schema:
            yield from properties(inner, path)
    if not isinstance(schema, dict):
        return
    for key, inner in schema.items():
        if key == "properties":
            for name, of_it in inner.items():
                yield f"{path}/{name}", of_it
                yield from properties(of_it, f"{path}/{name}")
        elif key == "$defs":
            for name, of_it in inner.items():
                yield from properties(of_it, f"{path}#{name}")
        elif key not in ("enum", "const", "required"):
            yield from properties(inner, path)


def name_of(document):
    """`soak-suite/1` -> `soak-suite-1`"""
    return document["schema"].replace("/", "-")


class Described(unittest.TestCase):
    def test_every_schema_is_one(self):
        for name, schema in SCHEMAS.items():
            with self.subTest(name=name):
                VALIDATOR.check_schema(schema)
                self.assertEqual(schema["title"].replace("/", "-"), name)
                self.assertIn("only add keys", schema["description"])

    def test_every_property_has_a_description(self):
        count = 0
        for name, schema in SCHEMAS.items():
            for path, of_it in properties(schema):
                count += 1
                self.assertGreater(len(of_it.get("description", "")), 2, f"{name}: {path}")
        self.assertGreater(count, 190)

    def test_a_property_without_one_is_found(self):
        schema = {"properties": {"a": {"description": "it has one", "items": {"properties": {"b": {}}}}},
                  "$defs": {"c": {"oneOf": [{"properties": {"d": {"type": "string"}}}]}}}
        bare = [path for path, of_it in properties(schema) if "description" not in of_it]
        self.assertEqual(bare, ["/a/b", "#c/d"])

    def test_the_words_are_those_of_the_code(self):
        """Lists that stand in a header and in a schema."""
        def words(path, pattern):
            return re.findall(pattern, (SOURCE / path).read_text(encoding="utf-8"))
        def at(name, *path):
            value = SCHEMAS[name]
            for key in path:
                value = value[key]
            return value
        suite = "src/soak/suite/suite.h"
        outcomes = words(suite, r'X\(SUITE_(?:MET|UNMET|UNSURE|BROKEN|INTERRUPTED|SKIPPED|NOT_RUN), "([^"]+)"')
        self.assertEqual(len(outcomes), 7)
        scenario = ("$defs", "scenario", "properties")
        self.assertEqual(at("soak-suite-1", *scenario, "outcome", "enum"), outcomes)
        measures = words("src/common/stats/compare/compare_sites.h", r'X\(COMPARE_BY_(?:ALLOCS|HELD)\w*, "([^"]+)"')
        self.assertEqual(at("soak-compare-1", "$defs", "why", "properties", "measure", "enum"),
                         measures)
        kinds = words("src/soak/torture/torture.h", r'X\(TORTURE_\w+, "([^"]+)"')
        self.assertEqual(at("soak-torture-1", "$defs", "kind", "enum"), kinds)


class Written(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-schemas-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, SOAK_ROOT=str(SOURCE))

    def soak(self, *arguments, program=SOAK, code=0):
        process = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                                 timeout=PATIENCE_S, check=False, cwd=self.folder, env=self.environment)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        return process.stdout

    def fits(self, document, name, where):
        self.assertIn(name, SCHEMAS, where)
        errors = [f"{where}: {list(error.path)}: {error.message}"
                  for error in VALIDATOR(strict(SCHEMAS[name])).iter_errors(document)]
        self.assertEqual(errors[:5], [])

    def check_folder(self):
        """Every JSON file below; the names of the schemas that were met."""
        met = set()
        for path in sorted((self.folder / "r").rglob("*.json*")):
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".jsonl":
                self.assertEqual(path.name, "samples.jsonl")
                for number, line in enumerate(text.splitlines(), 1):
                    self.fits(json.loads(line), "soak-samples-1", f"{path.name}:{number}")
                    met.add("soak-samples-1")
            else:
                document = json.loads(text)
                self.fits(document, name_of(document), path.name)
                met.add(name_of(document))
        return met

    def test_a_run(self):
        self.soak("run", *SMALL, "--results", "r", "--footprint", "--defect", "lost-state",
                  "--closed", "1500", "--env", "SOAK_TEST=1", code=1)
        self.assertEqual(self.check_folder(), {"soak-1", "soak-manifest-1", "soak-samples-1"})
        self.check_series()

    def check_series(self):
        """The series of the result are the checkpoints of samples.jsonl."""
        paths = {"openssl_blocks": ("openssl", "blocks"), "openssl_bytes": ("openssl", "bytes"),
                 "ssl_objects": ("census", "SSL"), "libuv_blocks": ("libuv", "blocks"),
                 "open_files": ("process", "open_files"), "threads": ("process", "threads"),
                 "heap_allocated": ("heap", "allocated"), "heap_active": ("heap", "active"),
                 "heap_resident": ("heap", "resident"), "rss_anon": ("process", "rss_anon"),
                 "rss_shared": ("process", "rss_shared"), "rss": ("process", "rss")}
        folder, = (self.folder / "r").glob("2*")
        samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
        checkpoints = [sample for sample in samples if sample["kind"] == "checkpoint"]
        document = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        self.assertEqual([subject["name"] for subject in document["subjects"]], ["server", "client"])
        for subject in document["subjects"]:
            self.assertEqual([series["id"] for series in subject["series"]],
                             [metric["id"] for metric in subject["metrics"]])
            for series in subject["series"]:
                with self.subTest(subject=subject["name"], metric=series["id"]):
                    part, key = paths[series["id"]]
                    seen = [sample[subject["name"]][part][key] for sample in checkpoints]
                    self.assertGreater(len(seen), 4)
                    self.assertEqual(series["value"], seen)
            closed = [sample[subject["name"]]["connections"]["closed"] for sample in checkpoints]
            self.assertEqual(series["closed"], closed)

    @unittest.skipUnless((BUILD / "bin/libsoakprobe.so").exists(),
                         "a build with sanitizers has no probe for programs that aren't soak's")
    def test_a_run_with_a_program_that_is_not_soaks(self):
        program = SOURCE / "tests/integration/foreign_programs.py"
        self.soak("run", "--server", f"/usr/bin/python3 {program} serve {{address}} {{cert}} {{key}}",
                  "--conns", "4", "--churn", "100/s", "--closed", "200", "--mix", "clean", "--settle", "50ms",
                  "--footprint", "--results", "r", "--quiet")
        self.assertEqual(self.check_folder(), {"soak-1", "soak-manifest-1", "soak-samples-1"})
        folder, = (self.folder / "r").glob("2*")
        document = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        mapped = {m["file"].rsplit("/", 1)[1].split(".")[0]: m["version"] for m in document["mapped"]}
        self.assertRegex(mapped["libcrypto"], r"^\d+\.\d+\.\d+")
        self.assertEqual(mapped["libssl"], mapped["libcrypto"])
        for end in document["footprint"]["ends"]:
            with self.subTest(end=end["name"]):
                idle = next(held for held in end["held"] if held["stage"] == "idle")
                sites = end["sites"]
                self.assertGreater(end["allocs"], 100)
                self.assertAlmostEqual(sum(site["allocs"] for site in sites) / end["allocs"], 1, delta=0.05)
                self.assertAlmostEqual(sum(site["held_bytes"] for site in sites), idle["bytes"], delta=1)
                self.assertIsNone(end["peak_bytes"])

    def test_a_run_that_cannot_be_judged(self):
        self.soak("run", *SMALL, "--results", "r", "--no-probe", "--quiet", code=4)
        self.assertLessEqual({"soak-1", "soak-manifest-1"}, self.check_folder())

    def test_a_suite(self):
        (self.folder / "s").mkdir()
        (self.folder / "s/a.soak").write_text("[load]\nconns = 3\nchurn = max\nclosed = 300\n",
                                              encoding="utf-8")
        self.soak("suite", "s", "--results", "r")
        self.assertEqual(self.check_folder(), {"soak-1", "soak-manifest-1", "soak-samples-1",
                                               "soak-suite-1"})

    def test_failing_allocations(self):
        self.soak("run", *SMALL, "--fail-alloc", "--slice", "1/60", "--results", "r", "--quiet")
        self.assertEqual(self.check_folder(), {"soak-torture-1", "soak-samples-1"})

    def test_a_comparison_and_a_search(self):
        for command, code in (("compare", 1), ("bisect", 0)):
            versions = "3.0.17,3.0.20" if command == "compare" else "3.0.17..3.0.22"
            self.soak(command, "smoke", "--openssl", versions, "--results", "r", program=STUB,
                      code=code)
        self.assertEqual(self.check_folder(), {"soak-compare-1", "soak-bisect-1"})

    def test_lists(self):
        for words in ((), ("behaviours",), ("defects",), ("scenarios",)):
            document = json.loads(self.soak("list", *words, "--json"))
            self.fits(document, "soak-list-1", words)
        self.environment["XDG_CACHE_HOME"] = str(self.folder / "cache")
        self.fits(json.loads(self.soak("libs", "--json")), "soak-libs-1", "libs")
        library = {"part": "openssl", "name": "3.5.9", "version": "3.5.9-1", "origin": "debian:trixie",
                   "path": "/x", "soname": ["libssl.so.3"], "headers": True, "glibc": "2.34",
                   "libc": ""}
        self.fits({"schema": "soak-libs/1", "libs": [library]}, "soak-libs-1", "made up")

    def test_the_doctor(self):
        self.fits(json.loads(self.soak("doctor", "--json")), "soak-doctor-1", "doctor")

    def test_what_is_not_described_is_refused(self):
        with self.assertRaises(AssertionError):
            self.fits({"schema": "soak-libs/1", "libs": [], "more": 1}, "soak-libs-1", "")
        with self.assertRaises(AssertionError):
            self.fits({"schema": "soak-ghost/1"}, "soak-ghost-1", "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
