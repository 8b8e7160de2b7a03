# SPDX-License-Identifier: Apache-2.0
"""Takes a picture of every kind of page, wide and narrow, light and dark, and prints it: for people to look at.

    python3 scripts/screenshots.py FOLDER [PAGE...]      needs build/ with its tests, and a browser
"""

import base64
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
os.environ.setdefault("SOAK_BUILD", str(ROOT / "build"))
os.environ.setdefault("SOAK_SOURCE", str(ROOT))
sys.path.insert(0, str(ROOT / "tests/cli"))

import browser  # noqa: E402
import pages  # noqa: E402

LOOKS = {"wide-light": (1280, False), "wide-dark": (1280, True), "narrow-light": (400, False),
         "narrow-dark": (400, True)}


def take(of, path, stem):
    for look, (width, dark) in LOOKS.items():
        of.open(path, width, dark)
        size = of.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        picture = of.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        pathlib.Path(f"{stem}-{look}.png").write_bytes(base64.b64decode(picture["data"]))
    of.open(path, 1280)
    sheets = of.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
    pathlib.Path(f"{stem}.pdf").write_bytes(base64.b64decode(sheets["data"]))


if __name__ == "__main__":
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(__doc__)
        sys.exit()
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    if not browser.PROGRAM:
        sys.exit("screenshots.py: no browser: install chromium")
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-screenshots-") as made:
        chromium = browser.Browser()
        try:
            for page, file in pages.write_pages(made).items():
                if page in (sys.argv[2:] or pages.PAGES):
                    take(chromium, file, target / page)
        finally:
            chromium.close()
