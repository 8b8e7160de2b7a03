# SPDX-License-Identifier: Apache-2.0
"""Clean runs pass with an exact ledger, and a run says what it measured and what it could not."""

import platform
import re
import socket
import unittest

import soak_run


class Metered(soak_run.SoakTest):
    def assert_meters_work(self, run):
        """Each subject's ledger found the block that was planted in it, and called nothing a leak that
        is none."""
        for name in ("server", "client"):
            check = run.subject(name)["selfcheck"]
            self.assertIs(check["ok"], True, run.explain())
            self.assertTrue(check["planted"]["found"])
            self.assertGreaterEqual(check["planted"]["epoch"], 2)
            self.assertEqual([c["quiet"] for c in check["controls"]], [True] * 3)
            for site in run.subject(name)["sites"]:
                self.assertNotIn("self-check", site["file"] or "")
        if run.result["verdict"] == "PASS":
            self.assertIn("found the block lost on purpose; no alarm at 3 harmless ones",
                          " ".join(run.out.split()))


class Sensitivity(soak_run.SoakTest):
    def test_without_a_sensitivity_nothing_passes_and_the_advised_length_has_one(self):
        cases = ((1, "--defect", "lost-state:1/10"), (5,),
                 (2, "--mix", "clean=2,reset=1,mid-handshake=1"),
                 (3, "--operate", "request"))
        for conns, *options in cases:
            closed = 24 if "--operate" in options else 4 * conns
            load = ("--conns", str(conns), "--churn", "300/s", "--seed", "1")
            short = self.soak(*load, *options, "--closed", str(closed))
            self.assertEqual(short.exit, 3, short.explain())
            self.assertEqual(short.result["sensitivity"]["one_in"], 0)
            self.assertIn("no lost block would surely have shown", " ".join(short.out.split()))
            advised = re.search(r"--closed (\d+)", short.result["next"][0]).group(1)
            clean = [o for o in options if "lost-state" not in o and o != "--defect"]
            long = self.soak(*load, *clean, "--closed", advised,
                             env=soak_run.sanitizers_told(soak_run.NO_QUARANTINE))
            self.assertEqual(long.exit, 0, long.explain())
            self.assertGreaterEqual(long.result["sensitivity"]["one_in"], 1)

    def test_growth_that_shows_only_after_the_turnover_is_held_all_the_same(self):
        run = self.soak("--conns", "5", "--churn", "300/s", "--closed", "120", "--keep-going",
                        "--defect", "per-time", "--seed", "1")
        self.assertEqual(run.exit, 1, run.explain())
        self.assertEqual(run.subject()["kind"], "time-based", run.explain())
        self.assertNotIn("proportional to connections", run.out)


class Clean(Metered):
    def assert_ledger_flat(self, run, subject):
        measured = [c for c in run.checkpoints()][2:]
        self.assertGreaterEqual(len(measured), 3)
        ledgers = {(c[subject]["openssl"]["blocks"], c[subject]["openssl"]["bytes"])
                   for c in measured}
        self.assertEqual(len(ledgers), 1, f"{subject}: {sorted(ledgers)}")

    def test_clean_run_passes_with_equal_blocks_and_bytes_at_every_checkpoint(self):
        run = self.soak(*soak_run.CHURN, "--closed", "4000")
        self.assertEqual(run.exit, 0, run.explain())
        self.assertEqual(run.result["verdict"], "PASS")
        self.assert_ledger_flat(run, "server")
        self.assert_ledger_flat(run, "client")
        self.assertGreater(run.result["sensitivity"]["one_in"], 100)
        self.assert_meters_work(run)

    def test_the_tables_of_libuv_have_their_size_before_the_first_epoch(self):
        run = self.soak("--conns", "30", "--churn", "max", "--closed", "700", "--seed", "1",
                        "--mix", "clean=3,reset=1,mid-handshake=2", "--workers", "2")
        for subject in ("server", "client"):
            tables = {c[subject]["libuv"]["bytes"] for c in run.checkpoints()}
            self.assertEqual(len(tables), 1, f"{subject}: {sorted(tables)}")
            self.assertNotIn("libuv", [site["file"] for site in run.subject(subject)["sites"]])

    def test_without_the_probe_there_is_no_self_check(self):
        run = self.soak(*soak_run.CHURN, "--closed", "1000", "--no-probe")
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIsNone(run.subject()["selfcheck"])
        self.assertNotIn("meter check", run.out)

    def test_clean_run_holds_exactly_the_stable_set_at_every_checkpoint(self):
        run = self.soak(*soak_run.CHURN, *soak_run.RESUMED, "--closed", "3000")
        for c in run.checkpoints():
            self.assertEqual(c["client"]["connections"]["established"], 30)
            self.assertEqual(c["client"]["connections"]["in_flight"], 0)
            self.assertEqual(c["server"]["census"]["SSL"], 30)

    def test_the_last_epoch_is_judged_where_most_peers_break_off(self):
        run = self.soak(*soak_run.CHURN, "--closed", "2000", "--mix", "clean=20,plain-http=80")
        self.assertEqual(run.exit, 0, run.explain())
        turnover = run.checkpoints()[-1]
        self.assertEqual(turnover["oldest"], turnover["epoch"])

    def test_resumption_with_tickets_passes(self):
        run = self.soak(*soak_run.CHURN, "--closed", "4000", "--resume", "50%")
        self.assertEqual(run.exit, 0, run.explain())
        resumed = run.checkpoints()[-1]["client"]["connections"]["resumed"]
        self.assertGreater(resumed, 1000)

    def test_client_certificates_pass(self):
        run = self.soak(*soak_run.CHURN, "--closed", "3000", "--client-auth", "require")
        self.assertEqual(run.exit, 0, run.explain())

    def test_tls_1_2_with_rsa_passes(self):
        run = self.soak(*soak_run.CHURN, "--closed", "2500", "--tls", "1.2", "--key", "rsa2048")
        self.assertEqual(run.exit, 0, run.explain())

    def test_several_workers_on_both_sides_pass_with_an_equal_ledger(self):
        run = self.soak(*soak_run.CHURN, "--closed", "4000", "--workers", "4", "--client-workers", "4")
        self.assertEqual(run.exit, 0, run.explain())
        self.assert_meters_work(run)
        self.assert_ledger_flat(run, "server")
        self.assert_ledger_flat(run, "client")
        self.assertGreaterEqual(run.checkpoints()[-1]["server"]["process"]["threads"], 4)

    @unittest.skipUnless(soak_run.HAS_JEMALLOC, "a build without jemalloc runs on libc anyway")
    def test_on_libc_s_malloc_the_ledger_is_as_exact_and_the_heap_unseen(self):
        run = self.soak(*soak_run.CHURN, "--closed", "3000", "--malloc", "libc")
        self.assertEqual(run.exit, 0, run.explain())
        self.assert_ledger_flat(run, "server")
        self.assert_ledger_flat(run, "client")
        self.assertRegex(run.result["libs"]["malloc"], r"^glibc-2\.\d+$")
        self.assertIn(" malloc=glibc-2.", run.manifest["libs"]["client"])
        self.assertIsNone(run.checkpoints()[-1]["server"]["heap"])
        self.assertEqual([m["id"] for m in run.subject()["metrics"] if "heap" in m["id"]], [])
        self.assertIn("only jemalloc tells of it", " ".join(run.out.split()))

    @unittest.skipUnless(soak_run.HAS_JEMALLOC, "a build without jemalloc runs on libc anyway")
    def test_another_allocator_than_the_asked_one_is_refused(self):
        run = self.soak(*soak_run.CHURN, "--closed", "1000", "--env", "LD_PRELOAD=libc.so.6")
        self.assertEqual(run.exit, 2, run.explain())
        self.assertIn("runs on another allocator", run.err)
        self.assertIsNone(run.result)

    def test_filling_session_cache_is_named_and_passes(self):
        run = self.soak(*soak_run.CHURN, "--closed", "4000", "--session", "cache", "--cache-size", "20k")
        self.assertEqual(run.exit, 0, run.explain())
        kinds = {s["kind"] for s in run.subject()["sites"]}
        self.assertIn("cache-filling", kinds, run.explain())


class Figures(soak_run.SoakTest):
    """One figure, one meaning: wherever it is told."""

    def assert_rows_are_true_to_their_word(self, run):
        for subject in ("server", "client"):
            for metric in run.subject(subject)["metrics"]:
                if metric["state"] != "level":
                    continue
                self.assertIsNotNone(metric["half_width"], metric)
                self.assertLessEqual(metric["per_conn"] - metric["half_width"], metric["limit"], metric)
                if metric["decides"] is not None:
                    most = max(metric["limit"], metric["decides"])
                    self.assertLessEqual(metric["per_conn"] + metric["half_width"], most, metric)

    def test_a_run_says_when_where_and_how_fast_it_was(self):
        run = self.soak("--conns", "10", "--churn", "400/s", "--closed", "1500")
        self.assertEqual(run.exit, 0, run.explain())
        load, headline = run.result["run"], run.result["headline"]
        self.assertRegex(run.result["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(run.result["host"], socket.gethostname())
        self.assertIn(platform.release(), run.result["kernel"])
        self.assertEqual(" ".join(run.out.split("\n\n")[0].split()), "PASS " + headline)
        self.assertAlmostEqual(load["shortfall"],
                               max(0, 1 - load["rate_per_s"] / load["asked_per_s"]), places=9)
        self.assertEqual("; only " in headline, load["shortfall"] > 0.1, headline)
        rss = run.checkpoints()[-1]["server"]["process"]["rss"]
        self.assertEqual(run.metric("rss")["end"], rss)
        self.assert_rows_are_true_to_their_word(run)

    def test_the_rate_is_that_of_replacing_not_of_opening_the_first(self):
        run = self.soak("--conns", "500", "--churn", "max", "--closed", "2500", "--no-probe", "--mix", "clean")
        first, last = (run.checkpoints()[i]["client"]["connections"] for i in (0, -1))
        self.assertLess(first["closed"], 400)
        load = run.result["run"]
        self.assertGreater(load["rate_per_s"], (last["closed"] - first["closed"]) / load["seconds"] * 1.01)

    @unittest.skipUnless(soak_run.HAS_JEMALLOC, "shows in jemalloc's figures alone")
    def test_what_is_too_little_to_convict_on_is_not_level(self):
        """48 bytes lost in one connection of 20: 2.4 B each, and no limit of a byte decides that."""
        run = self.soak("--conns", "30", "--churn", "max", *soak_run.RESUMED, "--closed", "4474",
                        "--defect", "outside:1/20")
        heap = run.metric("heap_allocated")
        if run.result["verdict"] == "PASS":
            self.assertGreater(heap["decides"], heap["per_conn"], run.explain())
        self.assert_rows_are_true_to_their_word(run)


class Output(Metered):
    def test_leak_report_names_what_where_and_kind_first(self):
        run = self.soak(*soak_run.CHURN, *soak_run.RESUMED, "--closed", "2000", "--defect", "lost-state",
                        env={"LC_ALL": "C.UTF-8"})
        lines = run.out.splitlines()
        self.assert_meters_work(run)
        self.assertRegex(run.result["headline"], r"^32 B lost per connection at server/defect\.c:\d+, "
                         "in lost_state_accept$")
        self.assertEqual(lines[0], "LEAK  " + run.result["headline"])
        self.assertTrue(any(re.match(r"\s+where\s+lost_state_accept\s+server/defect\.c:\d+", l)
                            for l in lines), run.out)

    def test_undecided_run_says_what_is_missing_and_the_command(self):
        run = self.soak(*soak_run.CHURN, "--closed", "1660", "--sensitivity", "1/100", "--payload", "64B")
        self.assertEqual(run.exit, 3, run.explain())
        self.assertRegex(run.result["missing"], r"^about [\d,]+ more connections, ")
        again = "./soak --conns 30 --churn max --payload 64B --until-sure --sensitivity 1/"
        settle, accept = run.result["next"]
        self.assertEqual(settle, again + "100")
        self.assertRegex(accept, f"^{re.escape(again)}[0-9]{{1,2}}$")
        self.assertIn("settle it", run.out)

    def test_until_sure_ends_when_the_sensitivity_is_reached(self):
        run = self.soak(*soak_run.CHURN, "--until-sure", "--sensitivity", "1/50")
        self.assertEqual(run.exit, 0, run.explain())
        self.assertGreaterEqual(run.result["sensitivity"]["one_in"], 50)
        self.assertLess(run.result["run"]["closed"], 4000, run.explain())

    def test_json_on_stdout_is_the_document_of_the_folder(self):
        import json
        run = self.soak(*soak_run.CHURN, "--closed", "1500", "--json=-")
        self.assertEqual(json.loads(run.out), run.result)


if __name__ == "__main__":
    unittest.main(verbosity=2)
