# SPDX-License-Identifier: Apache-2.0
"""Every kind of page in a browser: axe-core finds nothing that keeps anybody from reading it, light and dark, wide
and narrow; and printed nothing of it is missing, cut or beyond the paper."""

import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import browser
import pages
from patience import PATIENCE_S

SOAK = pathlib.Path(os.environ["SOAK_BUILD"]) / "bin/soak"
# https://github.com/dequelabs/axe-core; it is run in the browser, so it must be what was looked at.
AXE = "npm:axe-core@4.10.2"
AXE_SHA256 = "b511cd9dec01c76f4b2ad1723b66b6db37d4c2eb4ed199076e1829d9ee7b75e3"
# What axe knows of WCAG 2.2 AA and calls good practice; both are its default.
RUN_AXE = """axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(
    v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.target.join(' ')).join(', ')))"""
# A4 without Chromium's margins of 0.4 inches, in pixels of 1/96 inch.
PAPER = {"paperWidth": 8.27, "paperHeight": 11.69}
PAPER_PIXELS = int((8.27 - 0.8) * 96)
PAPER_HEIGHT = int((11.69 - 0.8) * 96)
BEYOND = """[...document.querySelectorAll('body *')].filter(e => !e.closest('svg') && e.checkVisibility() &&
    (e.getBoundingClientRect().right > innerWidth + 1 ||
     getComputedStyle(e).overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1))
    .map(e => e.tagName + '.' + e.className)"""
# A picture that may be parted from its caption, or that no sheet has room for.
CUT = """[...document.querySelectorAll('.chart, svg')].filter(e => e.checkVisibility() &&
    !e.parentElement.closest('svg, .chart') && (e.getBoundingClientRect().height > PAPER_HEIGHT ||
    e.classList.contains('chart') && getComputedStyle(e).breakInside !== 'avoid'))
    .map(e => e.outerHTML.slice(0, 80))"""
HEADINGS = "[...document.querySelectorAll('h1,h2,figcaption')].filter(e => e.checkVisibility()).map(e => e.innerText)"


def axe_source():
    """The text of axe.min.js, and why there is none."""
    if not shutil.which("npm"):
        return None, "no npm, which axe-core is fetched by"
    process = subprocess.run([SOAK, "libs", "program", AXE], capture_output=True, text=True, check=False,
                             timeout=PATIENCE_S)
    if process.returncode:
        return None, process.stderr.strip()
    source = pathlib.Path(process.stdout.split()[-1], "axe.min.js").read_bytes()
    return source.decode(), hashlib.sha256(source).hexdigest()


@unittest.skipUnless(browser.PROGRAM, "no browser: install chromium to see the pages in one")
class InABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="soak-pages-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.pages = pages.write_pages(cls.folder)
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)


class Accessible(InABrowser):
    @classmethod
    def setUpClass(cls):
        cls.axe, why = axe_source()
        if not cls.axe:
            raise unittest.SkipTest(f"no axe-core: {why}")
        assert why == AXE_SHA256, f"axe.min.js of {AXE} isn't the one that is known: {why}"
        super().setUpClass()

    def violations(self, name, width, dark):
        self.browser.open(self.pages[name], width, dark)
        self.browser.look(self.axe)
        return self.browser.look(RUN_AXE)

    def test_axe_finds_no_violation(self):
        for name in self.pages:
            for width, dark in ((1280, False), (400, True)):
                with self.subTest(page=name, width=width, dark=dark):
                    self.assertEqual(self.violations(name, width, dark), [])

    def test_axe_would_find_one(self):
        self.browser.open(self.pages["leak"], 1280)
        self.browser.look("document.querySelector('.chart svg').removeAttribute('aria-label');"
                          "document.querySelector('.note').style.color = '#ccc'")
        self.browser.look(self.axe)
        self.assertEqual({line.split(":")[0] for line in self.browser.look(RUN_AXE)},
                         {"color-contrast", "svg-img-alt"})


class Printed(InABrowser):
    def sheets(self, name):
        """The text of each sheet."""
        self.browser.open(self.pages[name], 1280)
        pdf = base64.b64decode(self.browser.call("Page.printToPDF", **PAPER)["data"])
        text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout
        return text.decode().split("\f")[:-1]

    @unittest.skipUnless(shutil.which("pdftotext"), "no pdftotext: install poppler-utils")
    def test_each_heading_is_there_and_no_sheet_is_empty(self):
        for name in self.pages:
            with self.subTest(page=name):
                sheets = self.sheets(name)
                words = [" ".join(sheet.split()) for sheet in sheets]
                self.browser.media(printed=True)
                for heading in self.browser.look(HEADINGS):
                    self.assertTrue(any(" ".join(heading.split()) in sheet for sheet in words), (heading, words[0]))
                for number, sheet in enumerate(words):
                    self.assertGreater(len(sheet), 40, (number, len(words)))

    def test_nothing_is_cut_or_beyond_the_paper(self):
        for name in self.pages:
            with self.subTest(page=name):
                self.browser.open(self.pages[name], PAPER_PIXELS)
                self.browser.media(printed=True)
                self.assertEqual(self.browser.look(BEYOND), [])
                self.assertEqual(self.browser.look(CUT.replace("PAPER_HEIGHT", str(PAPER_HEIGHT))), [])


if __name__ == "__main__":
    unittest.main()
