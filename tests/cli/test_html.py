# SPDX-License-Identifier: Apache-2.0
"""The pages of runs: whole, and nothing in them but their own; and in a browser, wide and narrow, light and
dark, without a complaint and without a line that is wider than the screen."""

import base64
import hashlib
import html.parser
import re
import shutil
import tempfile
import unittest

import browser
from pages import write_run_pages

# Elements that have no end, and those whose end may be left out.
VOID = {"meta", "link", "input", "br", "hr", "img"}
OPEN = {"tr": {"tr", "tbody", "thead"}}
LIMIT = 400_000


class Reader(html.parser.HTMLParser):
    """The elements that are open, the attributes of all, and what breaks the nesting."""

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.wrong, self.titles = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if self.open and self.open[-1] in OPEN and tag in OPEN[self.open[-1]]:
            self.open.pop()
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        while self.open and self.open[-1] in OPEN and tag != self.open[-1]:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="soak-html-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.pages = {name: path.read_text(encoding="utf-8") for name, path in write_run_pages(cls.folder).items()}
        assert len(cls.pages) >= 72

    def test_elements_are_nested(self):
        for name, text in self.pages.items():
            reader = Reader(text)
            self.assertEqual((reader.open, reader.wrong), ([], []), name)

    def test_nothing_is_fetched_and_nothing_runs_by_an_attribute(self):
        for name, text in self.pages.items():
            for tag, key, value in Reader(text).attributes:
                self.assertFalse(key.startswith("on") or key in ("style", "src", "srcdoc", "action"), (name, tag, key))
                if key == "href":
                    self.assertRegex(value, r"^(#[\w-]+|data:text/csv;charset=utf-8,[\w%.,-]*|[\w./-]+)$", name)

    def test_ids_are_unique_and_links_lead_somewhere(self):
        for name, text in self.pages.items():
            attributes = Reader(text).attributes
            ids = [value for _, key, value in attributes if key == "id"]
            self.assertEqual(len(ids), len(set(ids)), name)
            for _, key, value in attributes:
                for target in value.split() if key == "aria-labelledby" else [value[1:]] if (
                        key == "href" and value.startswith("#")) else []:
                    self.assertIn(target, ids, name)

    def test_the_policy_knows_the_script_and_the_style(self):
        for name, text in self.pages.items():
            for element in ("script", "style"):
                own = re.findall(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
                self.assertEqual(len(own), 2 if element == "script" and name.startswith("live-") else 1, name)
                known = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'"
                                 for one in own)
                self.assertIn(f"{element}-src {known};", text, name)
            self.assertIn("default-src 'none'", text)

    def test_pages_are_small(self):
        for name, text in self.pages.items():
            self.assertLess(len(text.encode()), LIMIT, name)


WIDER = """[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll,pre,svg,.skip') &&
    e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className)"""
CUT = """[...document.querySelectorAll('#verdict pre')].filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth)
    .map(e => e.className)"""
SHORT = "document.documentElement.scrollWidth <= innerWidth"


@unittest.skipUnless(browser.PROGRAM, "no browser: install chromium to see the pages in one")
class InABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="soak-html-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.pages = write_run_pages(cls.folder)
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def test_no_page_is_wider_than_the_screen_nor_complained_about(self):
        shown = [name for name in self.pages if name.endswith("-full") or name.startswith("lost-state-")]
        for width, dark in ((1280, False), (400, True)):
            for name in shown:
                self.assertEqual(self.browser.open(self.pages[name], width, dark), [], (name, width))
                self.assertTrue(self.browser.look(SHORT), (name, width, self.browser.look(WIDER)))

    def test_the_report_of_a_leak_is_read_on_a_phone_without_scrolling_sideways(self):
        for name in ("lost-state-bare", "lost-state-full"):
            self.browser.open(self.pages[name], 360)
            self.assertEqual(self.browser.look(CUT), [], name)

    def test_a_point_is_told_by_the_arrow_keys(self):
        self.browser.open(self.pages["lost-state-full"], 1280)
        told = "document.querySelector('.chart .told').textContent"
        usual = self.browser.look(told)
        self.browser.look("document.querySelector('.chart svg').focus()")
        self.browser.press("ArrowRight")
        self.assertEqual(self.browser.look(told), "250: 4,062")
        self.browser.press("End")
        self.assertEqual(self.browser.look(told), "61,000: 64,812")
        self.browser.press("Escape")
        self.assertEqual(self.browser.look(told), usual)

    def test_a_point_is_told_under_the_pointer(self):
        self.browser.open(self.pages["lost-state-full"], 1280)
        told = "document.querySelector('.chart .told').textContent"
        usual = self.browser.look(told)
        x, y = self.browser.look("(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelectorAll("
                                 "'.chart circle')[4].getBoundingClientRect())")
        self.browser.point(x, y)
        self.assertEqual(self.browser.look(told), "12,250: 16,062")
        self.browser.point(0, 0)
        self.assertEqual(self.browser.look(told), usual)

    def test_a_bar_and_a_cell_are_told_by_the_arrow_keys(self):
        self.browser.open(self.pages["lost-state-full"], 1280)
        for section, first, last in (("handshakes", "18.9 ms to 21 ms: ", "2.95 s to 3.22 s: 1 handshake, 0.02 %"),
                                     ("survivors", "epoch 2 at 2: 250 of 500", "epoch 7 at 8: 20 of 500")):
            chart = f"document.querySelector('#{section} .chart')"
            self.browser.look(f"{chart}.querySelector('svg').focus()")
            self.browser.press("Home")
            told = f"{chart}.querySelector('.told').textContent"
            self.assertTrue(self.browser.look(told).startswith(first), self.browser.look(told))
            self.browser.press("End")
            self.assertEqual(self.browser.look(told), last)

    def test_the_flame_graph_searches_and_zooms(self):
        self.browser.open(self.pages["lost-state-full"], 1280)
        frames = "[...document.querySelectorAll('.flame g')]"
        self.browser.look("const i = document.querySelector('.tools input'); i.value = 'defect_state';"
                          "i.dispatchEvent(new Event('input'))")
        hits = self.browser.look(f"{frames}.filter(g => g.classList.contains('hit')).length")
        self.assertGreater(hits, 0)
        self.assertLess(hits, self.browser.look(f"{frames}.length"))
        self.browser.look(f"{frames}.at(-1).focus()")
        self.browser.press("Enter")
        width = self.browser.look(f"{frames}.at(-1).querySelector('rect').getAttribute('width')")
        self.assertEqual(float(width), 1172)

    def test_colours_follow_the_scheme(self):
        colour = "getComputedStyle(document.body).backgroundColor"
        self.browser.open(self.pages["lost-state-full"], 1280)
        light = self.browser.look(colour)
        self.browser.open(self.pages["lost-state-full"], 1280, dark=True)
        self.assertNotEqual(self.browser.look(colour), light)


if __name__ == "__main__":
    unittest.main()
