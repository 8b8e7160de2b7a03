# SPDX-License-Identifier: Apache-2.0
"""Tests of `soak libs`, each with a cache of its own."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from patience import PATIENCE_S

SOAK = os.path.join(os.environ["SOAK_BUILD"], "bin", "soak")
SOURCE = os.environ["SOAK_SOURCE"]


def without_waits(process):
    """What is said of a program that takes longer than 30 s depends on the machine."""
    process.stderr = re.sub(r"(?m)^soak: \S+ is under way, .*\n", "", process.stderr)
    return process


class LibsCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix="soak-libs-")
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=self.work)
        self.cache = self.folder + "/cache"
        self.environment = dict(os.environ, SOAK_ROOT=SOURCE, SOAK_CACHE=self.cache)

    def run_soak(self, *words, **environment):
        return without_waits(subprocess.run([SOAK, *words], capture_output=True, text=True, check=False,
                                            timeout=PATIENCE_S, env=self.environment | environment))
