# SPDX-License-Identifier: Apache-2.0
"""Every document that the reports can write fits results/schema/soak-1.schema.json, and the schema
refuses documents that don't keep its promises."""

import copy
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from schemas import VALIDATOR, read_schema, strict

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SOAK_BUILD", SOURCE / "build"))
SCHEMA = read_schema("soak-1")


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        VALIDATOR.check_schema(SCHEMA)
        cls.validator = VALIDATOR(SCHEMA)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([BUILD / "bin/test_report", "--documents", folder], check=True)
            cls.documents = {path.stem: json.loads(path.read_text(encoding="utf-8"))
                             for path in pathlib.Path(folder).glob("*.json")}

    def test_every_document_fits(self):
        self.assertGreaterEqual(len(self.documents), 9)
        for name, document in self.documents.items():
            errors = [f"{list(error.path)}: {error.message}"
                      for error in self.validator.iter_errors(document)]
            self.assertEqual(errors, [], name)

    def test_no_key_is_written_that_the_schema_does_not_describe(self):
        validator = VALIDATOR(strict(SCHEMA))
        for name, document in self.documents.items():
            self.assertEqual([e.message for e in validator.iter_errors(document)], [], name)

    def test_documents_that_break_a_promise_are_refused(self):
        def broken(change):
            document = copy.deepcopy(self.documents["lost-state"])
            change(document)
            return not self.validator.is_valid(document)

        self.assertTrue(broken(lambda d: d.pop("verdict")))
        self.assertTrue(broken(lambda d: d.update(verdict="MAYBE")))
        self.assertTrue(broken(lambda d: d.update(schema="soak/2")))
        self.assertTrue(broken(lambda d: d.update(exit=7)))
        self.assertTrue(broken(lambda d: d["run"].pop("closed")))
        self.assertTrue(broken(lambda d: d["subjects"][0].update(kind="ghost")))
        self.assertTrue(broken(lambda d: d["subjects"][0]["sites"][0].update(blocks="many")))

    def test_the_words_are_those_of_the_code(self):
        header = (SOURCE / "src/common/stats/judge/verdict.h").read_text(encoding="utf-8")
        kinds = re.findall(r'X\(KIND_\w+, "([^"]+)"', header)
        verdicts = re.findall(r'X\(VERDICT_\w+, "([^"]+)"', header)
        self.assertEqual(SCHEMA["$defs"]["kind"]["enum"], kinds)
        self.assertEqual(SCHEMA["$defs"]["verdict"]["enum"], verdicts)


if __name__ == "__main__":
    unittest.main()
