# SPDX-License-Identifier: Apache-2.0
"""`soak compare`, `soak bisect` and `soak run --bisect-exit`. Nearly all of it over made-up runs
(compare_stub.c), whose versions stand in a table there; a few over real ones.
SOAK_GOLDEN=write makes the golden files anew."""

import copy
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

from terminal import shown
from patience import PATIENCE_S
from schemas import VALIDATOR, read_schema, strict

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK, STUB = BUILD / "bin/soak", BUILD / "bin/compare-stub"
GOLDEN = SOURCE / "tests/cli/golden"
FOUR = "3.0.17,3.0.20,3.0.22,3.5.7"


class Compare(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-compare-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, SOAK_ROOT=str(SOURCE), LC_ALL="C.UTF-8",
                                TERM="xterm", SOAK_STUB_LOG=str(self.folder / "log"))

    def soak(self, *arguments, program=STUB, code=0):
        process = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                                 timeout=PATIENCE_S, check=False, cwd=self.folder, env=self.environment)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        return process

    def compare(self, versions, *options, code=0):
        """Compares made-up versions of OpenSSL; the process."""
        return self.soak("compare", "smoke", "--openssl", versions, "--results", "r", "--seed", "1",
                         *options, code=code)

    def bisect(self, versions, *options, code=0):
        return self.soak("bisect", "smoke", "--openssl", versions, "--results", "r", "--seed", "1",
                         *options, code=code)

    def document(self, versions, *options, code=0):
        self.compare(versions, "--json=c.json", *options, code=code)
        return self.read("c.json")

    def read(self, name):
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def runs(self):
        """The words of each run, in their order."""
        text = (self.folder / "log").read_text(encoding="utf-8")
        return [line.split() for line in text.splitlines()]

    def refused(self, sentence, *arguments, code=2):
        process = self.soak(*arguments, code=code)
        self.assertEqual((process.stderr, process.stdout), (f"soak: {sentence}\n", ""))

    def at_width(self, columns, *arguments, code=0):
        """What a terminal of so many columns shows."""
        text, ended = shown(columns, [STUB, *arguments], stderr=subprocess.DEVNULL, cwd=self.folder,
                            env=self.environment)
        self.assertEqual(ended, code)
        return text

    def golden(self, name, text):
        text = re.sub(r"(  files ).*?(?=\n  \S|\Z)", r"\1 (here)", text, flags=re.DOTALL)
        path = GOLDEN / name
        if os.environ.get("SOAK_GOLDEN") == "write":
            path.write_text(text, encoding="utf-8")
        self.assertEqual(text, path.read_text(encoding="utf-8"))

    def outcomes(self, document):
        return [v["outcome"] for v in document["versions"]]

    def row(self, document, key):
        return next(row for row in document["rows"] if row["key"] == key)["cells"]


class Rounds(Compare):
    def test_every_round_has_every_version_once_and_rotates(self):
        self.compare(FOUR, code=1)
        runs, names = self.runs(), FOUR.split(",")
        self.assertEqual(len(runs), 24)
        order = [next(w for w in run if w.startswith("--openssl="))[10:] for run in runs]
        for number in range(6):
            part = order[4 * number:4 * number + 4]
            self.assertEqual(part, names[number % 4:] + names[:number % 4])

    def test_from_the_end_of_the_first_round_on_each_line_says_how_long_it_will_take(self):
        process = self.compare("3.0.17,3.0.22", "--repeat", "2")
        lines = re.findall(r"(?m)^soak: (\d) of 4 .*?(?:  (about \S+ left))?$", process.stderr)
        self.assertEqual([(number, bool(left)) for number, left in lines],
                         [("1", False), ("2", True), ("3", True), ("4", False)], process.stderr)

    def test_runs_of_a_round_have_one_seed_and_the_first_round_the_footprint(self):
        self.compare("3.0.17,3.0.22", "--repeat", "3", "--churn", "500/s")
        for number, run in enumerate(self.runs()):
            self.assertIn(f"--seed={number // 2 + 1}", run)
            self.assertEqual("--footprint" in run, number < 2)
            self.assertIn("--churn=500/s", run)
            self.assertEqual(run[-2:], ["--", "smoke"])
            self.assertNotIn("--repeat", " ".join(run))

    def test_a_first_run_that_breaks_leaves_the_footprint_to_the_next(self):
        document = self.document("3.0.17,9.0.6", "--repeat", "3", code=3)
        asked = ["--footprint" in run for run in self.runs() if "--openssl=9.0.6" in run]
        self.assertEqual(asked, [True, True, False])
        self.assertEqual(self.row(document, "allocs")[1]["change"], "=")
        self.assertEqual(document["versions"][1]["verdict"], "INVALID")

    def programs(self, *names, code=1):
        self.soak("compare", "smoke", "--program", ",".join(f"debian:{name}" for name in names), "--server",
                  "{program}/x {port}", "--repeat", "2", "--results", "r", "--seed", "1", "--json=c.json",
                  code=code)
        return [version["name"] for version in self.read("c.json")["versions"]]

    def test_programs_are_called_by_their_suites_where_that_tells_them_apart(self):
        self.assertEqual(self.programs("bullseye/nginx", "trixie/nginx"), ["bullseye", "trixie"])
        self.assertEqual(self.programs("trixie/nginx", "trixie/nginx=1.26.3-3", code=0),
                         ["debian:trixie/nginx", "debian:trixie/nginx=1.26.3-3"])

    def test_packages_of_one_program_stay_together(self):
        self.assertEqual(self.programs("bullseye/nginx", "trixie/nginx,libpcre2-8-0"), ["bullseye", "trixie"])
        self.assertIn("--program=debian:trixie/nginx,libpcre2-8-0", [word for run in self.runs() for word in run])

    def test_a_program_has_its_footprint_of_a_run_of_its_own(self):
        self.programs("bullseye/nginx", "trixie/nginx")
        alike = [run for run in self.runs() if "--footprint" in run]
        self.assertEqual((len(self.runs()), len(alike)), (6, 2))
        for run in alike:
            self.assertLess({"--mix=clean", "--resume=0%", "--operate=none", "--closed=600"}, set(run))
            self.assertEqual(sum(word.startswith("--closed") for word in run), 1)
        self.assertNotIn("--mix=clean", self.runs()[0])
        self.assertEqual([cell["value"] for cell in self.row(self.read("c.json"), "held")], [45512, 61210])

    def test_a_run_without_a_bound_gets_one_of_some_seconds(self):
        self.soak("compare", "default", "--openssl", "3.5.7,3.5.9", "--results", "r", "--seed", "1")
        self.assertIn("--closed=4520", self.runs()[0])
        (self.folder / "log").unlink()
        self.soak("compare", "default", "--openssl", "3.5.7,3.5.9", "--results", "r", "--for", "9s")
        self.assertFalse([w for w in self.runs()[0] if w.startswith("--closed")])

    def test_a_bound_of_0_is_none(self):
        process = self.soak("compare", "default", "--openssl", "3.5.7,3.6.5", "--results", "r", "--seed", "1",
                            "--closed", "0", "--churn", "max", "--tolerance", "50%", "--json=c.json", code=3)
        for run in self.runs():
            self.assertEqual([word for word in run if word.startswith("--closed")], ["--closed=4520"])
        document = self.read("c.json")
        self.assertEqual((document["options"], document["given"]), ("--closed=4520 --churn=max", "--churn=max"))
        said = re.sub(r" \\\n +", " ", process.stdout)
        self.assertIn(" --churn=max --closed 40k\n", said)
        self.assertNotIn("--closed=0", said)

    def test_how_many_runs_is_said_before(self):
        process = self.compare(FOUR, code=1)
        self.assertTrue(process.stderr.startswith(
            "soak: compare: 24 runs: 4 versions of openssl, 6 rounds\n"), process.stderr)
        self.assertEqual(process.stderr.count("\n"), 25)
        self.assertEqual(self.compare(FOUR, "--quiet", code=1).stderr, "")

    def test_allocators_and_one_libc_become_options_of_the_run(self):
        self.soak("compare", "smoke", "--malloc", "jemalloc,libc", "--openssl", "3.0.22",
                  "--same-libc", "--repeat", "1", "--results", "r")
        first, second = self.runs()
        self.assertIn("--malloc=jemalloc", first)
        for run in (first, second):
            self.assertIn("--client-malloc=jemalloc", run)
            self.assertIn("--openssl=3.0.22", run)
            self.assertIn("--libc=2.41", run)
        self.assertIn("--malloc=libc", second)

    def test_what_was_measured_is_written_after_each_run(self):
        self.compare("3.0.17,9.0.3", code=4)
        document = json.loads(next((self.folder / "r").glob("*/compare.json"))
                              .read_text(encoding="utf-8"))
        self.assertEqual((document["state"], document["runs"]), ("broken", {"planned": 12, "done": 1}))
        self.assertEqual(document["versions"][0]["verdict"], "LEAK")


class Judged(Compare):
    def test_the_leak_of_30464_is_told_and_its_mending(self):
        document = self.document("3.0.17,3.0.20,3.0.22", code=1)
        self.assertEqual([v["verdict"] for v in document["versions"]], ["LEAK", "LEAK", "PASS"])
        self.assertEqual([v["site"] and v["site"]["file"] for v in document["versions"]],
                         ["ssl/ssl_sess.c", "ssl/ssl_sess.c", None])
        self.assertIn("the LEAK is gone", document["versions"][2]["said"])

    def leaks_at(self, name, version, *places, growth, blocks=1):
        """A made-up run that leaks at these places, so many bytes and blocks in all."""
        (self.folder / name).mkdir()
        path = self.folder / name / "result.json"
        self.soak("document", version, path)
        document = self.read(path)
        document["subjects"][0].update(per_conn_bytes=growth, per_conn_blocks=blocks, sites=[
            {"file": file, "line": 78, "verdict": "LEAK", "kind": kind, "per_conn_bytes": growth}
            for file, kind in places])
        path.write_text(json.dumps(document), encoding="utf-8")
        return name

    def test_a_leak_elsewhere_is_worse_however_small(self):
        side = "side-allocation-lost"
        old = self.leaks_at("old", "3.0.17", ("ssl/ssl_sess.c", side), growth=939)
        new = self.leaks_at("new", "3.0.17", ("../server/defect.c", side), growth=32)
        both = self.leaks_at("both", "3.0.17", ("ssl/ssl_sess.c", side), ("server/defect.c", side), growth=64)
        for leak in (new, both):
            with self.subTest(leak=leak):
                said = " ".join(self.soak("compare", old, leak, code=1).stdout.split())
                self.assertIn(f"WORSE {leak} against {old}, for the server: another LEAK, +", said)
                self.assertIn(f"B per connection at server/defect.c:78, where {old} has none", said)
        self.assertIn("the LEAK is smaller", " ".join(self.soak("compare", both, new).stdout.split()))

    def objects_leak(self, name, function, kind="object-retained"):
        """A made-up run that leaks SSL objects, which this function allocates."""
        self.leaks_at(name, "3.0.17", ("ssl/ssl_lib.c", kind), growth=10842)
        path = self.folder / name / "result.json"
        document = self.read(path)
        frame = {"function": function, "module": "libssl.so.3", "file": "ssl/ssl_lib.c", "line": 78}
        document["subjects"][0].update({"class": "SSL", "stacks": [
            {"file": "ssl/ssl_lib.c", "line": 78, "blocks": 30, "bytes": 900, "frames": [frame]}]})
        path.write_text(json.dumps(document), encoding="utf-8")
        return name

    def test_an_objects_leak_is_the_same_where_its_function_was_renamed(self):
        old = self.objects_leak("old", "SSL_new")
        new = self.objects_leak("new", "ossl_ssl_connection_new_int")
        self.assertIn("both LEAK", " ".join(self.soak("compare", old, new).stdout.split()))
        side = "side-allocation-lost"
        old = self.objects_leak("old-side", "SSL_new", side)
        new = self.objects_leak("new-side", "ossl_ssl_connection_new_int", side)
        self.assertIn("another LEAK", " ".join(self.soak("compare", old, new, code=1).stdout.split()))

    def test_the_figure_that_makes_a_leak_worse_is_the_one_that_is_told(self):
        place = ("ssl/ssl_sess.c", "side-allocation-lost")
        cases = (("fewer", 51.1, 0.8, 0, "the LEAK is smaller, +51.10 B per connection at"),
                 ("more", 96, 1.5, 1, "the LEAK is larger, +96.00 B per connection at"),
                 ("blocks", 64, 2, 1, "the LEAK is larger by blocks, 2 per connection at"),
                 ("smaller-blocks", 48, 2, 1,
                  "the LEAK is larger by blocks, 2 per connection at ssl/ssl_sess.c:78 · "
                  "but smaller by bytes, +48.00 B per connection"),
                 ("fewer-blocks", 64, 0.8, 0, "the LEAK is smaller by blocks, 0.80 per connection at"))
        old = self.leaks_at("old", "3.0.17", place, growth=64)
        for name, growth, blocks, code, words in cases:
            with self.subTest(name=name):
                new = self.leaks_at(name, "3.0.17", place, growth=growth, blocks=blocks)
                self.assertIn(f": {words} ", " ".join(self.soak("compare", old, new, code=code).stdout.split()) + " ")

    def test_the_sites_of_the_step_in_3_0_20_are_named(self):
        why = self.document("3.0.17,3.0.20", code=1)["why"][0]
        self.assertEqual((why["measure"], why["after"] - why["before"]), ("allocs", 703))
        self.assertEqual([group["file"] for group in why["groups"]],
                         ["crypto/stack/stack.c", "crypto/property/property.c"])
        self.assertEqual([(line["before"], line["after"]) for line in why["groups"][0]["lines"]],
                         [(48, 49), (68, 69)])
        self.assertGreater(why["explained"], 0.9)

    def test_a_level_shift_is_a_footprint_and_no_leak(self):
        process = self.compare("3.0.22,3.5.7", code=1)
        self.assertIn("a larger footprint, not a leak", " ".join(process.stdout.split()))
        self.assertNotIn("LEAK", process.stdout)

    def test_twice_the_same_gives_the_same_exact_rows(self):
        first, second = (self.document("3.0.20,3.0.22") for _ in range(2))
        for document in (first, second):
            self.assertEqual(self.outcomes(document), ["same", "better"])
        exact = [[row for row in d["rows"] if row["role"] == "exact"] for d in (first, second)]
        self.assertEqual(*exact)

    def test_alike_versions_are_the_same(self):
        process = self.compare("3.5.7,3.5.9")
        self.assertTrue(process.stdout.startswith(
            "SAME  openssl 3.5.9 against 3.5.7, for the server: no exact figure differs by\n"
            "      more than 1 % · no leak in either\n"), process.stdout)

    def test_cpu_is_judged_by_pairs(self):
        cell = self.row(self.document("3.0.22,3.5.7", code=1), "cpu")[1]
        self.assertEqual((cell["change"], cell["outcome"], cell["ratio"]["pairs"]),
                         ("more", "worse", 6))
        self.assertAlmostEqual(cell["ratio"]["level"], 0.96875)
        cell = self.row(self.document("3.0.22,3.5.7", "--repeat", "5", code=1), "cpu")[1]
        self.assertEqual((cell["change"], cell["outcome"]), ("can't tell", "same"))

    def test_a_tolerance_bears_more(self):
        self.compare("3.0.17,3.0.20", "--tolerance", "80%")

    def test_what_cannot_be_judged_is_exit_3(self):
        for version, word in (("3.6.5", "INCONCLUSIVE"), ("4.0.3", "INVALID")):
            document = self.document(f"3.5.7,{version}", "--tolerance", "50%", code=3)
            self.assertEqual(self.outcomes(document), ["same", "can't tell"])
            self.assertIn(f"the verdicts are PASS and {word}", document["versions"][1]["said"])

    def test_a_missing_footprint_is_exit_3(self):
        document = self.document("3.5.7,9.0.5", code=3)
        self.assertIn("missing", document["versions"][1]["said"])
        self.assertEqual(self.row(document, "allocs")[1]["change"], "missing")


class Sides(Compare):
    """The server decides; what only the load generator does is told."""

    def test_what_the_client_allocates_is_told_and_decides_nothing(self):
        said = self.compare("3.0.22,3.0.24").stdout
        self.assertTrue(said.startswith(
            "SAME  openssl 3.0.24 against 3.0.22, for the server: +16 B per idle connection ·\n"
            "      no leak in either\n"
            "      the client makes 699 more allocations per handshake (--side client judges\n"
            "      it)\n"), said)
        self.assertIn("  allocations, server    1,957   1,957  =\n", said)
        self.assertIn("  allocations, client    1,000   1,699  +699  +69.9 %\n", said)
        self.assertIn("  held by server, idle  47,007  47,023  +16 B  +0.03 %  =\n", said)
        self.assertIn("  where the 699 are   +699  ssl/statem/extensions_clnt.c:478, new\n", said)
        self.assertIn("  next    ./soak bisect smoke --openssl 3.0.22..3.0.24 "
                      "--metric allocs_client\n", said)
        self.assertNotIn("where the 0", said)

    def test_the_command_that_it_suggests_works(self):
        said = self.compare("3.0.22,3.0.24").stdout
        words = re.search(r"\./soak (bisect .*)", said)[1].split()
        self.environment["SOAK_STUB_FEW"] = "1"
        found = self.soak(*words, "--results", "r", "--seed", "1").stdout
        self.assertIn("3.0.24 is the first with allocs_client 1,699; 3.0.22, the one before, has 1,000", " ".join(found.split()))

    def test_the_search_that_it_suggests_begins_where_it_can_be_told(self):
        for versions, code, search in (
                # by the verdict: not at a version that can't be judged, but at the last one like the first
                ("3.5.7,3.6.5,3.0.20", 1, "3.5.7..3.0.20"), ("3.5.7,3.5.9,3.0.20", 1, "3.5.9..3.0.20"),
                # by the figure that made it worse where the verdict can't be told
                ("3.0.22,3.6.5", 1, "3.0.22..3.6.5 --metric held")):
            with self.subTest(versions=versions):
                said = " ".join(self.compare(versions, code=code).stdout.replace("\\\n", " ").split())
                self.assertIn(f"./soak bisect smoke --openssl {search}", said)
        found = self.bisect("3.0.22,3.6.5", "--metric", "held", "--quiet").stdout
        self.assertIn("3.6.5 is the first with held 61,210", found)

    def test_what_counts_for_every_run_is_in_each_command(self):
        given = ("--sni", "it's.there", "--libuv", "1.44.2")
        typed = "--libuv=1.44.2 '--sni=it'\\''s.there'"
        said = self.document("3.0.22,3.0.24", *given)
        self.assertEqual(said["given"], typed)
        self.assertEqual(said["options"], typed)  # the scenario says itself how long it is
        for versions, code, command in (
                ("3.0.22,3.0.24", 0, f"bisect smoke --openssl 3.0.22..3.0.24 {typed} --metric allocs_client"),
                ("3.0.17,3.0.22", 0, f"run smoke --openssl 3.0.17 {typed}")):
            text = re.sub(r" \\\n +", " ", self.compare(versions, *given, code=code).stdout)
            self.assertIn(f" ./soak {command}\n", text)

    def test_a_range_is_suggested_only_between_versions(self):
        for versions, suggested in (("3.0.17,3.0.22", True), ("3.0.17,/opt/tls", False)):
            process = self.soak("compare", "smoke", "--openssl", versions, "--results", "r", "--seed", "1",
                                "--tolerance", "99%")
            self.assertIn("the LEAK is gone", " ".join(process.stdout.split()))
            self.assertEqual("./soak bisect" in process.stdout, suggested, process.stdout)

    def test_a_command_has_all_that_was_given_or_is_not_suggested(self):
        for quotes, suggested in ((300, True), (700, False)):  # each takes four bytes
            given = [f"--env=N{k}={quotes * chr(39)}" for k in range(4)]
            self.assertEqual(shlex.split(self.document("3.0.22,3.0.24", *given)["given"]), given)
            text = re.sub(r" \\\n +", " ", self.compare("3.0.22,3.0.24", *given).stdout)
            self.assertEqual([shlex.split(command)[4:-2] == given for command in re.findall(r"\./soak (bisect .*)", text)],
                             [True] * suggested)

    def test_a_side_judges_its_own(self):
        document = self.document("3.0.22,3.0.24", "--side", "client", code=1)
        self.assertEqual((document["side"], document["outcome"]), ("client", "worse"))
        self.assertRegex(document["versions"][1]["said"],
                         r"^WORSE  openssl 3.0.24 against 3.0.22, for the client: allocations per "
                         r"handshake \+69.9 % \(1,000 → 1,699\)")
        judged = {row["key"]: row["judged"] for row in document["rows"]}
        self.assertEqual([judged[key] for key in ("allocs_client", "allocs_server", "allocs", "held",
                                                  "growth_bytes")], [True, False, False, False, True])
        document = self.document("3.0.22,3.0.24", "--side=both", code=1)
        self.assertIn("for both ends: the client's allocations per handshake +69.9 %",
                      document["versions"][1]["said"])

    def test_a_leak_of_the_load_generator_is_told(self):
        process = self.compare("3.0.22,3.0.25", "--json=c.json")
        document = self.read("c.json")
        self.assertEqual(([v["verdict"] for v in document["versions"]], document["outcome"]),
                         (["PASS", "PASS"], "same"))
        self.assertEqual([v["other_leaks"] for v in document["versions"]], [False, True])
        self.assertIn("the client of 3.0.25 LEAKs (--side client judges it)\n", process.stdout)
        for side in ("client", "both"):
            document = self.document("3.0.22,3.0.25", "--side", side, code=1)
            self.assertEqual([v["verdict"] for v in document["versions"]], ["PASS", "LEAK"])
            self.assertIn("a LEAK, +72.00 B per connection", document["versions"][1]["said"])

    def test_a_leak_of_the_load_generator_hides_no_crash(self):
        for name, version in (("a", "3.0.22"), ("b", "3.0.25")):
            (self.folder / name).mkdir()
            self.soak("document", version, path := self.folder / name / "result.json")
        document = json.loads(path.read_text(encoding="utf-8"))
        for verdict in ("PASS", "INVALID"):
            document["broken"] = "server exited with signal 11 (SIGSEGV)"
            document["subjects"][0]["verdict"] = verdict
            path.write_text(json.dumps(document), encoding="utf-8")
            self.soak("compare", "a", "b", "--json=c.json", code=3)
            self.assertEqual([v["verdict"] for v in self.read("c.json")["versions"]], ["PASS", "INVALID"])
            self.soak("compare", "a", "b", "--side", "client", "--json=c.json", code=1)
            self.assertEqual([v["verdict"] for v in self.read("c.json")["versions"]], ["PASS", "LEAK"])

    def test_figures_are_per_what_is_counted(self):
        process = self.compare("3.0.22,3.0.17", "--operate", "key-update", "--json=c.json", code=1)
        document = self.read("c.json")
        said = " ".join(process.stdout.split())
        self.assertIn("B per operation at ssl/ssl_sess.c:70", said)
        self.assertIn("lost per operation", said)
        self.assertNotIn("per connection", said.replace("CPU per connection", ""))
        groups = {row["key"]: row["group"] for row in document["rows"]}
        self.assertEqual([groups[key] for key in ("growth_bytes", "cpu", "census_ssl")],
                         ["Growth per operation", "Server CPU per operation", "Objects per open connection"])

    def test_a_leak_of_the_server_is_none_of_the_clients(self):
        document = self.document("3.0.22,3.0.17", "--side", "client")
        self.assertEqual([v["verdict"] for v in document["versions"]], ["PASS", "PASS"])
        self.assertEqual([v["other_leaks"] for v in document["versions"]], [False, True])

    def test_of_client_programs_the_client_is_judged(self):
        for name, version in (("a", "3.0.22"), ("b", "3.0.17")):
            (self.folder / name).mkdir()
            self.soak("client", version, self.folder / name / "result.json")
        process = self.soak("compare", "a", "b", "--json=c.json", code=1)
        document, text = self.read("c.json"), " ".join(process.stdout.split())
        self.assertEqual((document["side"], [v["verdict"] for v in document["versions"]]),
                         ("client", ["PASS", "LEAK"]))
        self.assertIn("WORSE openssl 3.0.17-1~made against 3.0.22-1~made, for the client: a LEAK, +994.00 B per "
                      "connection", text)
        self.assertIn(" client CPU ", text)
        self.assertNotIn("server", text)
        rows = {row["key"]: row for row in document["rows"]}
        self.assertEqual([rows["cpu"][key] for key in ("side", "judged", "group")],
                         ["client", True, "Client CPU per connection"])
        self.soak("compare", "a", "b", "--side", "client", "--json=c.json", code=1)
        self.assertEqual(self.read("c.json")["side"], "client")

    def test_of_client_programs_the_load_is_judged_where_it_is_asked_for(self):
        process = self.compare_clients("3.0.22,3.0.17", "--side", "server")
        self.assertEqual([self.read("c.json")[key] for key in ("side", "outcome")], ["server", "same"])
        self.assertIn("the client of 3.0.17-1~made LEAKs (--side client judges it)\n", process.stdout)
        process = self.compare_clients("3.0.22,3.0.25")
        self.assertIn("the server of 3.0.25-1~made LEAKs (--side server judges it)\n", process.stdout)

    def compare_clients(self, versions, *options, code=0):
        """Compares made-up runs of a client program; the process."""
        for name in versions.split(","):
            (self.folder / name).mkdir(exist_ok=True)
            self.soak("client", name, self.folder / name / "result.json")
        return self.soak("compare", *versions.split(","), "--json=c.json", *options, code=code)

    def test_runs_of_a_server_and_of_a_client_are_not_compared(self):
        for name, kind in (("a", "document"), ("b", "client")):
            (self.folder / name).mkdir()
            self.soak(kind, "3.0.22", self.folder / name / "result.json")
        self.refused("compare: b: it is of a client, an earlier run of a server", "compare", "a", "b")

    def test_versions_of_a_client_program_are_run_without_what_only_soak_client_takes(self):
        client = ("--client", "{program}/c {address}", "--repeat", "2", "--results", "r", "--seed", "1")
        process = self.soak("compare", "--program", "debian:bullseye/nginx,debian:trixie/nginx", *client)
        self.assertIn("SAME program trixie against bullseye, for the client: ", " ".join(process.stdout.split()))
        self.soak("compare", "--malloc", "jemalloc,libc", *client)
        self.soak("compare", "--program", "debian:bullseye/nginx,debian:trixie/nginx", "--malloc", "jemalloc", *client)
        self.assertEqual([w for run in self.runs() for w in run if "footprint" in w or "client-malloc" in w], [])

    def test_what_cannot_be_trusted_is_so_for_every_side(self):
        for side in ("server", "client"):
            document = self.document("3.5.7,4.0.3", "--side", side, "--tolerance=50%", code=3)
            self.assertEqual(document["versions"][1]["verdict"], "INVALID")


class KeyExchange(Compare):
    def test_another_default_is_named_beside_the_figures_and_not_as_their_cause(self):
        process = self.compare("3.0.22,3.5.7", "--json=c.json", code=1)
        document = self.read("c.json")
        self.assertEqual([v["key_exchange"] for v in document["versions"]],
                         ["x25519", "X25519MLKEM768"])
        self.assertIn(" · its default key exchange differs, too: X25519MLKEM768 instead of x25519",
                      document["versions"][1]["said"])
        self.assertNotIn("because", process.stdout)
        self.assertIn("  key exchange   3.0.22 x25519 · 3.5.7 X25519MLKEM768\n", process.stdout)
        self.assertIn("./soak compare smoke --openssl 3.0.22,3.5.7 --groups X25519\n",
                      process.stdout)
        self.assertIn("  handshake p50 ", process.stdout)

    def test_the_same_one_is_no_cause(self):
        for versions, code in (("3.0.17,3.0.20", 1), ("3.5.7,3.5.9", 0)):
            self.assertNotIn("key exchange", self.compare(versions, code=code).stdout)

    def test_with_groups_it_is_no_default(self):
        document = self.document("3.0.22,3.5.7", "--groups", "X25519MLKEM768:X25519", code=1)
        self.assertEqual(document["groups"], "X25519MLKEM768:X25519")
        self.bisect("3.0.22,3.5.7", "--metric", "allocs", "--groups", "X25519MLKEM768:X25519", "--json=b.json")
        self.assertEqual(self.read("b.json")["comparison"]["groups"], document["groups"])
        self.assertIn(" · its key exchange differs, too: X25519MLKEM768 instead of x25519",
                      document["versions"][1]["said"])

    def test_a_footprint_that_does_not_say_is_no_difference(self):
        for name, version in (("a", "3.0.22"), ("b", "3.5.7")):
            (self.folder / name).mkdir()
            path = self.folder / name / "result.json"
            self.soak("document", version, path)
            document = json.loads(path.read_text(encoding="utf-8"))
            if name == "a":
                del document["footprint"]["group"]
            path.write_text(json.dumps(document), encoding="utf-8")
        self.assertNotIn("key exchange", self.soak("compare", "a", "b", code=1).stdout)


class Broken(Compare):
    def test_another_version_than_was_asked_for_is_refused(self):
        process = self.compare("3.0.22,9.0.0", code=4)
        self.assertIn("soak: compare: 9.0.0: 9.0.0 was asked for, and the run had openssl "
                      "3.0.17-1~made\n", process.stderr)
        self.assertNotIn("9.0.0 better", process.stdout)
        self.assertIn("broken after 1 of 12 runs", process.stdout)

    def test_a_part_that_all_versions_share_is_looked_at_too(self):
        process = self.soak("compare", "smoke", "--malloc", "jemalloc,libc", "--openssl", "3.0.20",
                            "--results", "r", code=4)
        self.assertIn("soak: compare: jemalloc: 3.0.20 was asked for, and the run had openssl "
                      "3.0.22-1~made\n", process.stderr)

    def test_a_prefix_proves_itself_by_being_mapped(self):
        self.compare("3.5.7,/opt/tls")

    def test_a_document_that_breaks_its_promise_is_refused(self):
        process = self.compare("3.0.22,9.0.1", code=4)
        self.assertIn("soak: compare: 9.0.1: 'verdict' is none of PASS, LEAK, INCONCLUSIVE and "
                      "INVALID\n", process.stderr)

    def test_a_version_that_cannot_be_had_is_exit_2(self):
        process = self.compare("9.0.2,3.0.22", code=2)
        self.assertIn("soak: compare: 9.0.2: 9.0.2: it has left the mirror\n", process.stderr)
        self.assertEqual(process.stdout, "")

    def test_a_soak_that_crashes_is_exit_4(self):
        process = self.compare("3.0.22,9.0.3", code=4)
        self.assertIn("soak: compare: 9.0.3: its run left no result\n", process.stderr)

    def test_ctrl_c_in_the_first_run_is_told(self):
        process = self.compare("9.0.4,3.0.17", code=130)
        self.assertEqual(process.stdout, "")
        self.assertIn("soak: compare: interrupted before a run was done\n", process.stderr)

    def test_ctrl_c_gives_what_was_measured(self):
        process = self.compare("3.0.17,3.0.20,9.0.4", "--json=c.json", code=130)
        self.assertIn("interrupted after 2 of 18 runs", process.stdout)
        self.assertIn("allocations per handshake +55.9 %", " ".join(process.stdout.split()))
        document = self.read("c.json")
        self.assertEqual((document["state"], document["exit"]), ("interrupted", 130))
        self.assertEqual([len(v["runs"]) for v in document["versions"]], [1, 1, 0])
        self.assertEqual(self.outcomes(document), ["same", "worse", "can't tell"])


class Finished(Compare):
    def make(self, name, version, change=None):
        (self.folder / name).mkdir()
        path = self.folder / name / "result.json"
        self.soak("document", version, path)
        if change:
            document = json.loads(path.read_text(encoding="utf-8"))
            change(document)
            path.write_text(json.dumps(document), encoding="utf-8")
        return name

    def test_last_is_the_latest_run_unless_a_file_has_that_name(self):
        self.environment["SOAK_ROOT"] = str(self.folder)
        a, b = self.make("a", "3.0.17"), self.make("b", "3.0.22")
        refused = self.soak("compare", "last", a, code=2)
        self.assertIn("results/runs/last", refused.stderr)
        (self.folder / "results/runs").mkdir(parents=True)
        (self.folder / "results/runs/last").symlink_to(self.folder / b)
        self.soak("compare", a, "last", "--json", "c.json")
        self.assertEqual([v["name"] for v in self.read("c.json")["versions"]],
                         ["3.0.17-1~made", "3.0.22-1~made"])
        (self.folder / "last").symlink_to(self.folder / a)
        self.soak("compare", "last", b, "--json", "c.json")
        self.assertEqual([v["name"] for v in self.read("c.json")["versions"]],
                         ["3.0.17-1~made", "3.0.22-1~made"])

    def test_last_is_the_latest_run_although_a_suite_came_after_it(self):
        self.environment["SOAK_ROOT"] = str(self.folder)
        runs = self.folder / "results/runs"
        runs.mkdir(parents=True)
        a = self.make("a", "3.0.17")
        self.make("results/runs/20260101-000000-smoke", "3.0.20")
        self.make("results/runs/20260101-000001-smoke", "3.0.22")
        (runs / "20260101-000002-suite").mkdir()
        (runs / "20260101-000002-suite/suite.json").write_text("{}", encoding="utf-8")
        (runs / "last").symlink_to("20260101-000002-suite")
        self.soak("compare", a, "last", "--json", "c.json")
        self.assertEqual([v["name"] for v in self.read("c.json")["versions"]],
                         ["3.0.17-1~made", "3.0.22-1~made"])

    def test_finished_runs_are_compared_by_their_documents(self):
        a, b = self.make("a", "3.0.17"), self.make("b", "3.0.22")
        process = self.soak("compare", a, self.folder / b / "result.json", "--json=c.json")
        document = self.read("c.json")
        self.assertEqual(self.outcomes(document), ["same", "mixed"])
        self.assertRegex(process.stdout, r"\AMIXED  openssl 3.0.22-1~made against 3.0.17-1~made, for the server: the LEAK is\s+gone · but ")
        self.assertEqual([v["name"] for v in document["versions"]],
                         ["3.0.17-1~made", "3.0.22-1~made"])
        self.assertEqual((document["part"], document["rounds"], document["seed"]),
                         ("openssl", 0, None))
        self.assertIn("the LEAK is gone · but allocations per handshake +55.6 %",
                      " ".join(process.stdout.split()))
        self.assertFalse((self.folder / "r").exists())

    def test_what_has_no_line_is_new_or_gone_only_where_the_other_side_lacks_it(self):
        def allocates(**allocs):
            def change(document):
                document["footprint"]["ends"][0]["sites"] = [
                    {"file": file, "line": 0, "function": None, "allocs": count, "reallocs": 0, "bytes": 1,
                     "held_bytes": 0} for file, count in {"steady.c": 1, **allocs}.items()]
            return change
        some = {"?": 180, "ssl/gone.c": 30}, {"?": 140, "ssl/new.c": 40}
        a, b = (self.make(name, "3.0.22", allocates(**sites)) for name, sites in zip("ab", some))
        text = self.soak("compare", a, b, "--markdown").stdout
        self.assertRegex(text, r"-40 an unnamed file\n")
        self.assertIn("ssl/new.c, new", text)
        self.assertIn("ssl/gone.c, gone", text)

    def test_rows_that_nobody_has_do_not_count(self):
        def strip(document):
            for key in ("footprint", "mapped"):
                del document[key]
            del document["subjects"][0]["after_drain"]
        self.soak("compare", self.make("a", "3.0.20", strip), self.make("b", "3.0.17", strip))

    def test_a_run_is_not_compared_with_itself(self):
        a, b = self.make("a", "3.0.17"), self.make("b", "3.0.22")
        (self.folder / "link").symlink_to(a)
        for second in (a, "link", f"{a}/result.json", f"./{a}/"):
            with self.subTest(second=second):
                self.refused(f"compare: {second}: the same run as {a}", "compare", b, a, second)
        shutil.copytree(self.folder / a, self.folder / "copy")
        self.soak("compare", a, "copy")

    def test_a_row_that_one_lacks_is_exit_3(self):
        def strip(document):
            document["footprint"] = None
        self.soak("compare", self.make("a", "3.0.22"), self.make("b", "3.0.22", strip), code=3)

    def test_what_was_not_exact_is_told_and_decides_nothing(self):
        def vary(document):
            document["footprint"]["ends"][0]["exact"] = False
        process = self.soak("compare", self.make("a", "3.0.22"), self.make("b", "3.5.7", vary),
                            code=3)
        self.assertIn("~61,210  +30.2 %", process.stdout)
        self.assertIn("~ isn't exact", process.stdout)

    def test_malformed_documents_get_one_sentence(self):
        def at(*path, value):
            def change(document):
                for key in path[:-1]:
                    document = document[key]
                document[path[-1]] = value
            return change
        good = self.make("good", "3.0.22")
        cases = [
            (at("schema", value="soak/2"), "not the result of a run (soak/1)"),
            (at("verdict", value="MAYBE"),
             "'verdict' is none of PASS, LEAK, INCONCLUSIVE and INVALID"),
            (at("subjects", value={}), "'subjects' is not a list of at most 2"),
            (at("subjects", 0, "per_conn_bytes", value="many"), "'per_conn_bytes' is not a number"),
            (at("run", value=None), "'run' is missing"),
            (at("run", "conns", value=[]), "'conns' is not a number"),
            (at("subjects", 0, "census", "SSL", "end", value="x"),
             "census of SSL: 'end' is not a number"),
            (at("subjects", 0, "after_drain", "anon_bytes", value={}),
             "after_drain: 'anon_bytes' is not a number"),
            (at("mapped", 0, "version", value=3), "mapped library 1: 'version' is not a text"),
            (at("libs", "libuv", value=1), "'libs' has no version of libuv"),
            (at("libs", "openssl", value="3.0.19"),
             "it ran with two versions of openssl: 3.0.22-1~made and 3.0.19"),
            (lambda d: d["mapped"].append({"part": "openssl", "version": "3.0.19-1"}),
             "mapped library 3: it ran with two versions of openssl: 3.0.22-1~made and 3.0.19-1"),
            (at("footprint", value=4), "'footprint' is not an object"),
            (at("footprint", "ends", 0, "name", value="middle"),
             "footprint: it has no server among its ends"),
            (at("footprint", "ends", 0, "allocs", value=-1),
             "footprint: server: 'allocs' is less than 0"),
            (at("footprint", "ends", 0, "exact", value=1),
             "footprint: server: 'exact' is neither true nor false"),
            (at("footprint", "ends", 0, "held", 3, "bytes", value="x"),
             "footprint: server: held, idle: 'bytes' is not a number"),
            (at("footprint", "ends", 0, "sites", 1, "file", value=None),
             "footprint: server, site 2: 'file' is not a text"),
            (at("scenario", value="other"),
             "it is a run of 'other', and the first is one of 'smoke'"),
        ]
        for number, (change, sentence) in enumerate(cases):
            with self.subTest(sentence=sentence):
                bad = self.make(f"bad{number}", "3.0.22", change)
                self.refused(f"compare: {bad}: {sentence}", "compare", good, bad)

    def test_without_a_footprint_no_exact_figure_is_called_the_same(self):
        def without(document):
            document["footprint"] = None

        said = self.soak("compare", self.make("a", "3.0.22", without), self.make("b", "3.0.24", without)).stdout
        said = " ".join(said.split())
        self.assertIn("the verdict is the same; not every run has a footprint to compare", said)
        self.assertNotIn("exact figure", said)

    def test_files_that_are_no_runs_get_one_sentence(self):
        good = self.make("good", "3.0.22")
        (self.folder / "empty").mkdir()
        (self.folder / "torn.json").write_text('{"schema": "so', encoding="utf-8")
        os.mkfifo(self.folder / "pipe.json")
        self.refused("compare: empty: there is no result.json in it", "compare", good,
                     "empty")
        (self.folder / "runs/last").mkdir(parents=True)
        self.refused("compare: runs: there is no result.json in it; did you mean its newest run, runs/last?",
                     "compare", good, "runs")
        process = self.soak("compare", good, "torn.json", code=2)
        self.assertRegex(process.stderr, r"\Asoak: compare: torn.json:1: not JSON: [^\n]*\n\Z")
        self.refused("compare: pipe.json: this is a pipe or a device, and a regular file is needed", "compare",
                     good, "pipe.json")


class Shown(Compare):
    ARGUMENTS = ("compare", "smoke", "--openssl", "1.1.1w," + FOUR, "--results", "r", "--seed", "1",
                 "--color", "never")

    def test_100_columns(self):
        shown = self.at_width(100, *self.ARGUMENTS, code=1)
        self.golden("compare-100.txt", shown)

    def test_80_columns_have_a_pair_in_words(self):
        arguments = ("compare", "smoke", "--openssl", "3.0.22,3.0.24", "--results", "r", "--seed",
                     "1", "--repeat", "1", "--color", "never")
        shown = self.at_width(80, *arguments)
        self.golden("compare-80.txt", shown)
        for line in shown.splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_60_columns_are_readable(self):
        shown = self.at_width(60, *self.ARGUMENTS, code=1)
        self.golden("compare-60.txt", shown)
        for line in shown.splitlines():
            self.assertLessEqual(len(line), 60, line)

    def test_markdown(self):
        process = self.compare("3.0.17,3.0.20", "--markdown", code=1)
        self.golden("compare.md", process.stdout)
        self.compare("3.0.17,3.0.20", "--markdown=m.md", code=1)
        self.assertEqual((self.folder / "m.md").read_text(encoding="utf-8"), process.stdout)

    def test_a_page_has_versions_as_columns_and_what_explains_them(self):
        self.compare("3.0.17,3.0.20", "--html=page.html", code=1)
        page = (self.folder / "page.html").read_text(encoding="utf-8")
        for part in ('<h1><span class="badge leak">WORSE</span> openssl 3.0.20 against 3.0.17, for the server: both LEAK · ',
                     '<th scope="col" class="n">3.0.17</th><th scope="col" class="n">3.0.20</th>',
                     "Where the differences are", "3.0.17 → 3.0.20: +",
                     "crypto/stack/stack.c", '<td class="n bad">1,961'):
            self.assertIn(part, page)
        self.assertEqual((page.count("<script>"), page.count("</main>"), page.count("</html>")), (1, 1, 1))
        self.assertEqual(page.count("<tbody>"), page.count("</tbody>"))
        origin = r'<p class="origin">soak \S+ · smoke · \d{4}-\d\d-\d\dT\S+Z · Linux [^·]+ · openssl 3\.0\.17, 3\.0\.20</p>'
        self.assertTrue(re.search(origin, page))

    def test_markdown_from_a_hostile_document_stays_text(self):
        for name, file in (("a", "x|y.c"), ("b", "<img src=x>`.c")):
            (self.folder / name).mkdir()
            path = self.folder / name / "result.json"
            self.soak("document", "3.0.22", path)
            document = json.loads(path.read_text(encoding="utf-8"))
            document["footprint"]["ends"][0]["sites"] = [
                {"file": file, "line": 1, "function": None, "allocs": 900,
                 "reallocs": 0, "bytes": 1, "held_bytes": 1}]
            document.update(host="<script>alert(1)</script>", time="2026-11-28T00:00:00Z")
            path.write_text(json.dumps(document), encoding="utf-8")
        text = self.soak("compare", "a", "b", "--markdown").stdout
        self.assertIn("&#60;img src=x&#62;&#96;.c", text)
        self.assertIn("x&#124;y.c", text)
        page = self.soak("compare", "a", "b", "--html").stdout
        self.assertIn("&lt;img src=x&gt;`.c", page)
        self.assertNotIn("<img", page)
        self.assertIn(" · 2026-11-28T00:00:00Z · &lt;script&gt;alert(1)&lt;/script&gt; · ", page)

    def test_a_long_line_ends_with_a_whole_character(self):
        for name, version in (("a", "3.0.22"), ("b", "3.0.17")):
            (self.folder / name).mkdir()
            path = self.folder / name / "result.json"
            self.soak("document", version, path)
        for length in range(200, 256):
            document = json.loads(path.read_text(encoding="utf-8"))
            document["subjects"][0]["sites"][0]["file"] = "x" * (length % 2) + "é" * (length // 2)
            path.write_text(json.dumps(document), encoding="utf-8")
            self.soak("compare", "a", "b", "--quiet", "--json=c.json", code=1)
            self.assertIn("a LEAK", self.read("c.json")["versions"][1]["said"])

    def test_quiet_prints_the_verdict_lines(self):
        process = self.compare("3.5.7,3.5.9", "--quiet")
        self.assertEqual(process.stdout,
                         "SAME  openssl 3.5.9 against 3.5.7, for the server: no exact figure differs by more than 1 % · no leak in either\n")


class Documents(Compare):
    def check(self, document, name):
        for kind in (read_schema(name), strict(read_schema(name))):
            VALIDATOR.check_schema(kind)
            errors = [f"{list(e.path)}: {e.message}" for e in VALIDATOR(kind).iter_errors(document)]
            self.assertEqual(errors, [])

    def test_every_comparison_fits_the_schema(self):
        for versions, code in ((FOUR, 1), ("3.5.7,3.6.5", 3), ("3.5.7,9.0.5", 3),
                               ("3.5.7,9.0.4", 130)):
            self.check(self.document(versions, code=code), "soak-compare-1")

    def test_every_search_fits_the_schema(self):
        for versions, code in (("3.0.17..3.0.22", 0), ("3.5.7,3.5.9", 3), ("3.0.17,9.0.3", 4)):
            self.bisect(versions, "--json=b.json", code=code)
            document = self.read("b.json")
            self.check(document, "soak-bisect-1")
            self.check(document["comparison"], "soak-compare-1")

    def test_documents_that_break_a_promise_are_refused(self):
        validator = VALIDATOR(read_schema("soak-compare-1"))
        document = self.document(FOUR, code=1)

        def broken(change):
            changed = copy.deepcopy(document)
            change(changed)
            return not validator.is_valid(changed)

        self.assertTrue(broken(lambda d: d.pop("outcome")))
        self.assertTrue(broken(lambda d: d.update(outcome="maybe")))
        self.assertTrue(broken(lambda d: d.update(versions=[])))
        self.assertTrue(broken(lambda d: d["rows"][0].update(role="guess")))
        self.assertTrue(broken(lambda d: d["rows"][0]["cells"][0].update(value="many")))

    def test_the_words_are_those_of_the_code(self):
        header = (SOURCE / "src/common/stats/compare/compare_names.h").read_text(encoding="utf-8")
        block = header[header.index("define COMPARE_CHANGE_LIST"):]
        changes = re.findall(r'X\(\w+, "([^"]+)"\)', block[:block.index("enum compare_change")])
        self.assertEqual(read_schema("soak-compare-1")["$defs"]["change"]["enum"], changes)
        block = block[block.index("define COMPARE_OUTCOME_LIST"):]
        outcomes = re.findall(r'X\(\w+, "([^"]+)", "', block[:block.index("enum compare_outcome")])
        self.assertEqual(read_schema("soak-compare-1")["$defs"]["outcome"]["enum"], outcomes)


class NotWritten(Compare):
    """The documents say what soak exits with, also where something of it couldn't be written."""

    def kept(self, name):
        return self.read(f"r/last/{name}")["exit"]

    def test_a_comparison_whose_outputs_cannot_be_written_says_so(self):
        for options in (["--json=/dev/full"], ["--markdown=/dev/full"], ["--html=/dev/full", "--json=c.json"]):
            with self.subTest(options=options):
                self.compare("3.5.7,3.5.9", *options, code=4)
                self.assertEqual(self.kept("compare.json"), 4)
        self.assertEqual(self.read("c.json")["exit"], 4)
        self.compare("3.5.7,3.6.5", "--markdown=/dev/full", code=3)
        self.assertEqual(self.kept("compare.json"), 3)

    def test_a_search_whose_document_cannot_be_written_says_so(self):
        self.bisect("3.0.17..3.0.22", "--json=/dev/full", code=4)
        self.assertEqual(self.kept("bisect.json"), 4)

    def test_a_text_that_cannot_be_written_is_exit_4(self):
        for command, versions in (("compare", "3.5.7,3.5.9"), ("bisect", "3.0.17..3.0.22")):
            with self.subTest(command=command), open("/dev/full", "wb") as full:
                process = subprocess.run([STUB, command, "smoke", "--openssl", versions, "--results", "r",
                                          "--json=d.json"], stdout=full, stderr=subprocess.PIPE, text=True,
                                         timeout=PATIENCE_S, check=False, cwd=self.folder, env=self.environment)
                self.assertEqual(process.returncode, 4, process.stderr)
                self.assertIn(f"soak: {command}: stdout: No space left", process.stderr)
                self.assertEqual((self.read("d.json")["exit"], self.kept(f"{command}.json")), (4, 4))

    def test_a_version_that_cannot_be_had_is_exit_2_in_the_document_too(self):
        self.compare("3.0.17,9.0.2", "--json=c.json", code=2)
        self.assertEqual((self.read("c.json")["exit"], self.kept("compare.json")), (2, 2))


class Bisect(Compare):
    def test_the_version_that_mends_the_leak_is_named(self):
        process = self.bisect("3.0.17..3.5.9", "--quiet")
        self.assertEqual(process.stdout, "3.0.22 is the first with PASS; 3.0.20, the one before, has LEAK "
                                         "(4 of 5 versions run)\n")
        self.assertEqual(process.stderr, "")
        self.assertEqual(len(self.runs()), 4)

    def test_a_leak_that_is_gone_is_a_difference_at_any_tolerance(self):
        for versions, what in (("3.0.20,3.0.22", "3.0.22 is the first with PASS"), ("3.0.22,3.0.20", "3.0.20 is the first with LEAK")):
            self.assertIn(what, self.bisect(versions, "--tolerance", "100%", "--quiet").stdout)

    def test_a_metric_that_steps_is_found(self):
        process = self.bisect("3.0.17,3.0.20,3.0.22", "--metric", "allocs", "--json=b.json")
        self.assertTrue(process.stdout.startswith(
            "3.0.20 is the first with allocs 2,961; 3.0.17, the one before, has 2,258 (3 of\n"
            "3 versions run)\n\n"), process.stdout)
        self.assertIn("+231  crypto/property/property.c:478, new", process.stdout)
        document = self.read("b.json")
        self.assertEqual((document["before"], document["first"], document["end"]),
                         ("3.0.17", "3.0.20", "found"))
        self.assertEqual([v["name"] for v in document["comparison"]["versions"]],
                         ["3.0.17", "3.0.20", "3.0.22"])
        self.assertEqual(json.loads(next((self.folder / "r").glob("*/bisect.json"))
                                    .read_text(encoding="utf-8")), document)

    def test_what_was_found_is_no_command_to_type_next(self):
        """Ends that are alike by the verdict may differ by a figure: that search is another one."""
        found = self.bisect("3.0.17,3.0.20,3.0.22", "--metric", "allocs").stdout
        self.assertNotIn("./soak bisect", found)
        alike = self.bisect("3.0.22,3.5.7", code=3).stdout
        self.assertIn("./soak bisect smoke --openssl 3.0.22..3.5.7 --metric held", alike)

    def test_it_searches_backwards_too(self):
        process = self.bisect("3.5.9..3.0.17", "--metric", "held", "--quiet")
        self.assertIn("3.0.22 is the first with held 47,007 B; 3.5.7, the one before, has 61,210 B",
                      process.stdout)

    def test_how_many_runs_is_said_before(self):
        self.assertIn("soak: bisect: at most 4 runs: 5 versions of openssl\n",
                      self.bisect("3.0.17..3.5.9").stderr)

    def test_ends_that_do_not_differ_are_exit_3(self):
        self.assertEqual(self.bisect("3.5.7,3.5.9", "--quiet", code=3).stdout,
                         "3.5.7 and 3.5.9 don't differ: both are PASS (2 of 2 versions run)\n")
        self.assertEqual(
            self.bisect("3.0.22..3.0.20", "--metric=allocs", "--quiet", code=3).stdout,
            "3.0.22 and 3.0.20 don't differ by more than 1 %: allocs 2,957 and 2,961 "
            "(2 of 2 versions run)\n")

    def test_an_end_that_cannot_be_judged_leaves_open_whether_they_differ(self):
        said = self.bisect("3.6.5,3.5.7", code=3).stdout
        self.assertTrue(said.startswith("3.6.5 can't be judged: INCONCLUSIVE (1 of 2 versions run)\n\n"
                                        "  settle it  ./soak report "), said)

    def test_a_version_that_cannot_be_judged_is_exit_3(self):
        self.assertEqual(self.bisect("3.0.17,3.6.5,3.5.7", "--quiet", code=3).stdout,
                         "3.6.5 can't be judged: INCONCLUSIVE; the first that differs lies between 3.0.17 and "
                         "3.5.7 (3 of 3 versions run)\n")

    def test_ctrl_c_and_a_broken_run(self):
        self.assertEqual(self.bisect("3.0.17,9.0.4,3.5.7", "--quiet", code=130).stdout,
                         "interrupted (2 of 3 versions run)\n")
        self.assertIn("soak: bisect: 9.0.3: its run left no result\n",
                      self.bisect("3.0.17,9.0.3", code=4).stderr)


class Refused(Compare):
    def test_lines_that_cannot_be_meant(self):
        (self.folder / "run").mkdir()
        for sentence, *arguments in (
                ("compare: which versions? Give --openssl A,B or --libuv, --malloc or --program; or two "
                 "finished runs", "compare", "smoke"),
                ("compare: --program: nginx: not a program that can be fetched; give "
                 "debian:SUITE/PACKAGE[=VERSION] or npm:NAME@VERSION", "compare", "smoke", "--program",
                 "nginx,debian:sid/haproxy"),
                ("compare: --openssl: the program of --server brings its own; compare versions of it with --program "
                 "debian:SUITE/PACKAGE,...", "compare", "servers/nginx", "--openssl", "3.0.17,3.0.20"),
                ("compare: --libuv: the program of --client brings its own; compare versions of it with --program "
                 "debian:SUITE/PACKAGE,...", "compare", "clients/curl", "--libuv", "1.44,1.50"),
                ("bisect: --openssl: the program of --server brings its own; compare versions of it with --program "
                 "debian:SUITE/PACKAGE,...", "bisect", "servers/nginx", "--openssl", "3.0.17..3.0.20"),
                ("compare: --program debian:bullseye/nginx: has a meaning only with --server or --client",
                 "compare", "smoke", "--program", "debian:bullseye/nginx,debian:sid/nginx"),
                ("compare: --program debian:bullseye/nginx: nothing would run of it; begin the command with its "
                 "folder, as in {program}/usr/sbin/nginx", "compare", "servers/nginx", "--program",
                 "debian:bullseye/nginx,debian:sid/nginx"),
                ("compare: run: which run is it to be compared with? Name both: soak compare RUN RUN", "compare", "run"),
                ("compare: --openssl: what is 3.0.17 to be compared with? Name both: --openssl A,B",
                 "compare", "smoke", "--openssl", "3.0.17"),
                ("compare: --openssl and --libuv: one thing varies at a time; give one name of the "
                 "other", "compare", "smoke", "--openssl", "3.0.17,3.0.20", "--libuv", "1.44,1.50"),
                ("compare: --openssl 3.0.17..3.0.22: a range is for soak bisect; name the versions: A,B",
                 "compare", "smoke", "--openssl", "3.0.17..3.0.22"),
                ("compare: --openssl: 3.0.17 is given twice", "compare", "smoke", "--openssl",
                 "3.0.17,3.0.17"),
                ("compare: --openssl=3.0.17,: a name is missing", "compare", "smoke", "--openssl",
                 "3.0.17,"),
                ("compare: --openssl=,: a name is missing", "compare", "smoke", "--openssl", ","),
                ("compare: ../tls: no such library", "compare", "smoke", "--openssl",
                 "3.0.17,../tls"),
                ("bisect: --openssl 3.0.17..: one range has two ends, A..B; or names alone: A,B,C",
                 "bisect", "smoke", "--openssl", "3.0.17.."),
                ("bisect: --openssl 3.0.17..3.0.20..3.5.7: one range has two ends, A..B; or names "
                 "alone: A,B,C", "bisect", "smoke", "--openssl", "3.0.17..3.0.20..3.5.7"),
                ("compare: --malloc tcmalloc: there are jemalloc, libc and jemalloc-VERSION",
                 "compare", "smoke", "--malloc", "jemalloc,tcmalloc"),
                ("compare: --openssl 3.0.17..3.0.22: a range is for soak bisect; name the "
                 "versions: A,B", "compare", "smoke", "--openssl", "3.0.17..3.0.22,3.5.7"),
                ("compare: --repeat: from 1 to 64", "compare", "smoke", "--openssl",
                 "3.0.17,3.0.20", "--repeat", "0"),
                ("compare: --tolerance 1: a percentage ends in %, such as 20%", "compare", "smoke",
                 "--openssl", "3.0.17,3.0.20", "--tolerance", "1"),
                ("compare: 5.5.5: no such library", "compare", "smoke", "--openssl", "3.0.17,5.5.5"),
                ("compare: --churn=500/s: finished runs are compared as they are", "compare", "run",
                 "run", "--churn", "500/s"),
                ("compare: --fail-alloc: it has no verdict that could be compared", "compare",
                 "smoke", "--openssl", "3.0.17,3.0.20", "--fail-alloc"),
                ("compare: --json and --markdown: one of them to stdout, the other to a FILE",
                 "compare", "smoke", "--openssl", "3.0.17,3.0.20", "--json", "--markdown"),
                ("bisect: between which versions? Such as --openssl 3.0.17..3.0.22", "bisect",
                 "smoke"),
                ("bisect: --openssl /opt/tls: only versions have a range, as soak libs lists them; name what is to be "
                 "tried: A,B,C", "bisect", "smoke", "--openssl", "3.0.17../opt/tls"),
                ("bisect: --openssl mine: only versions have a range, as soak libs lists them; name what is to be "
                 "tried: A,B,C", "bisect", "smoke", "--openssl", "mine..3.0.17"),
                ("bisect: --malloc libc: only versions have a range, as soak libs lists them; name what is to be "
                 "tried: A,B,C", "bisect", "smoke", "--malloc", "jemalloc-5.3.0..libc"),
                ("bisect: --openssl: no version 3.6.5 is known; soak libs lists them", "bisect",
                 "smoke", "--openssl", "3.0.17..3.6.5"),
                ("bisect: 3.0.18: no such library", "bisect", "smoke", "--openssl",
                 "3.0.17..3.0.18"),
                ("bisect: --metric hold: no such metric; did you mean held?", "bisect", "smoke",
                 "--openssl", "3.0.17..3.0.22", "--metric", "hold")):
            with self.subTest(sentence=sentence):
                if "a percentage" in sentence:
                    self.assertIn("compare: --tolerance 1:", self.soak(*arguments, code=2).stderr)
                else:
                    self.refused(sentence, *arguments)
        self.assertFalse((self.folder / "log").exists())


class BisectExit(Compare):
    SHORT = ("--conns", "4", "--churn", "max", "--closed", "300", "--quiet", "--results", "r")

    def run_soak(self, *options, code):
        return self.soak("run", *self.SHORT, *options, program=SOAK, code=code)

    def test_what_cannot_be_tried_is_125(self):
        self.run_soak("--bisect-exit", "--conns", "0", code=128)
        self.run_soak("--bisect-exit", "--sensitivty", "1/10", code=128)
        self.run_soak("--bisect-exit", "--build", "false", code=125)
        process = self.run_soak("--bisect-exit", "--build", "soak-no-such-program x", code=125)
        self.assertEqual(process.stderr, "soak: --build 'soak-no-such-program' can't be started: "
                                         "no such file or directory\n")
        self.assertFalse((self.folder / "r").exists())

    def test_the_build_comes_before_the_run_and_no_shell_reads_it(self):
        process = self.run_soak("--bisect-exit", "--build", "echo built $HOME; false", code=0)
        self.assertIn("built $HOME; false\n", process.stderr)
        self.assertTrue(process.stdout.startswith("PASS"), process.stdout)

    def test_a_leak_is_1_and_an_invalid_run_125(self):
        self.run_soak("--bisect-exit", "--defect", "lost-state", "--closed", "1500", code=1)
        self.run_soak("--bisect-exit", "--no-probe", code=125)

    def test_the_exit_is_what_file_and_line_together_ask_for(self):
        path = self.folder / "b.soak"
        path.write_text("[output]\nbisect-exit = true\n", encoding="utf-8")
        for file, options, code in ((path, (), 125), (path, ("--bisect-exit=false",), 4),
                                    (path, ("--conns", "0"), 128), (path, ("--conns", "x"), 2),
                                    ("smoke", ("--bisect-exit", "--bisect-exit=false"), 4)):
            with self.subTest(file=file, options=options):
                self.run_soak(file, "--no-probe", *options, code=code)

    def test_commands_of_many_runs_refuse_it_in_a_file_too(self):
        path = self.folder / "b.soak"
        path.write_text("[output]\nbisect-exit = true\n", encoding="utf-8")
        for words in (("suite", path), ("compare", path, "--openssl", "3.0.17,3.0.22"),
                      ("bisect", path, "--openssl", "3.0.17..3.0.22")):
            with self.subTest(command=words[0]):
                process = self.soak(*words, program=SOAK, code=2)
                self.assertEqual(process.stderr, f"soak: {words[0]}: {path}:2: --bisect-exit: only soak run has it\n")

    def test_a_build_without_bisect_exit_is_refused(self):
        process = self.run_soak("--build", "true", code=2)
        self.assertEqual(process.stderr,
                         "soak: --build true: has a meaning only with --bisect-exit\n")


if __name__ == "__main__":
    unittest.main()
