# SPDX-License-Identifier: Apache-2.0
"""The files of survivors' stacks, read back by others than who wrote them: XML by expat, pprof by a
decoder of its own. And names are found without asking the network."""

import gzip
import http.server
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import unittest
import xml.etree.ElementTree as ElementTree

from patience import PATIENCE_S

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = os.environ["SOAK_SOURCE"]
SVG = "{http://www.w3.org/2000/svg}"
CASES = ("leak", "nothing", "hostile", "many")


def fields(data):
    """The fields of a message: number, and an int or bytes. As protobuf.dev's encoding guide says."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        elif tag & 7 == 2:
            length = varint()
            if at + length > len(data):
                raise ValueError("a field runs over its message")
            at += length
            yield tag >> 3, data[at - length:at]
        else:
            raise ValueError(f"wire type {tag & 7}")


def message(data):
    """The fields by number, each a list."""
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def varints(packed):
    """A packed field of int64."""
    found, value, shift = [], 0, 0
    for byte in packed:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            found.append(value - (1 << 64) if value >> 63 else value)
            value = shift = 0
    assert shift == 0, "cut within a number"
    return found


class Pprof:
    """profile.proto, with every reference resolved; a dangling one is a KeyError or IndexError."""

    def __init__(self, data):
        top = message(data)
        self.strings = [text.decode() for text in top[6]]
        self.types = [self.value_type(item) for item in top[1]]
        self.default = self.strings[top[14][0]]
        self.period_type = self.value_type(top[11][0])
        functions = {f[1][0]: f for f in map(message, top.get(5, []))}
        mappings = {m[1][0]: m for m in map(message, top.get(3, []))}
        locations = {x[1][0]: x for x in map(message, top.get(4, []))}
        self.unique = all(len(top.get(field, [])) == len(table) for field, table in
                          ((3, mappings), (4, locations), (5, functions)))
        self.frames = {key: self.frame(x, functions, mappings) for key, x in locations.items()}
        self.samples = [self.sample(message(item)) for item in top.get(2, [])]

    def text(self, item, field):
        return self.strings[item[field][0]] if field in item else ""

    def value_type(self, data):
        item = message(data)
        return self.text(item, 1), self.text(item, 2)

    def frame(self, location, functions, mappings):
        line, = map(message, location[4])
        function = functions[line[1][0]]
        mapping = mappings[location[2][0]] if 2 in location else {}
        return (self.text(function, 2), self.text(function, 4), line.get(2, [0])[0],
                self.text(mapping, 5))

    def sample(self, item):
        labels = {}
        for label in map(message, item.get(3, [])):
            value = self.text(label, 2) if 2 in label else label.get(3, [0])[0]
            labels[self.text(label, 1)] = value
        stack = [self.frames[key] for key in varints(item.get(1, [b""])[0])]
        return stack, varints(item[2][0]), labels


def folded(profile):
    """What the folded file must say, from the pprof profile: bytes by stack."""
    total = {}
    for stack, (_, size), labels in profile.samples:
        if size > 0:
            names = [labels["subject"]] + [frame[0] for frame in reversed(stack)]
            key = ";".join(name.replace(";", ":").replace(" ", "_") for name in names)
            total[key] = total.get(key, 0) + size
    return total


class Profile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="soak-profile-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        subprocess.run([BUILD / "bin/test_profile", "--files", cls.folder], check=True)
        cls.svg = {name: (cls.folder / f"{name}.svg").read_text(encoding="utf-8") for name in CASES}
        cls.packed = {name: (cls.folder / f"{name}.pb.gz").read_bytes() for name in CASES}
        cls.pprof = {name: Pprof(gzip.decompress(data)) for name, data in cls.packed.items()}

    # pprof

    def test_the_profile_holds_what_was_put_in(self):
        profile = self.pprof["leak"]
        self.assertEqual(profile.types, [("inuse_objects", "count"), ("inuse_space", "bytes")])
        self.assertEqual((profile.default, profile.period_type), ("inuse_space", ("space", "bytes")))
        self.assertEqual(len(profile.samples), 14)
        stack, values, labels = profile.samples[0]
        self.assertEqual(values, [10000, 320000])
        self.assertEqual(labels, {"subject": "server", "behaviour": "clean", "epoch": 3})
        self.assertEqual(stack[:2], [("defect_state_new", "server/defect.c", 41, "soak-server"),
                                     ("conn_on_accept", "server/conn.c", 88, "soak-server")])
        self.assertEqual([frame[0] for frame in stack[2:]],
                         ["on_readable", "uv__io_poll", "uv_run", "worker_run", "main"])
        stack, values, labels = profile.samples[-1]
        self.assertEqual(values, [20, 129280])
        self.assertEqual(labels["subject"], "client")
        self.assertEqual(stack[1], ("0x7f12aa001234", "", 0, ""))
        self.assertNotIn("behaviour", profile.samples[-2][2])

    def test_the_comment_says_how_many_blocks_it_has(self):
        profile = self.pprof["leak"]
        blocks = sum(values[0] for _, values, _ in profile.samples if values[1] > 0)
        said, = (text for text in profile.strings if text.startswith("soak: "))
        self.assertIn(f" in {blocks:,} blocks ", said)

    def test_what_has_no_name_is_told_by_its_place(self):
        names = {frame[0] for frame in self.pprof["leak"].frames.values()}
        self.assertIn("libssl.so.3+0x4a3bc", names)

    def test_every_id_is_given_once_and_the_first_string_is_empty(self):
        for name, profile in self.pprof.items():
            self.assertTrue(profile.unique, name)
            self.assertEqual(profile.strings[0], "", name)
            self.assertEqual(len(profile.strings), len(set(profile.strings)), name)

    def test_negative_values_survive(self):
        self.assertIn([-3, -300], [values for _, values, _ in self.pprof["hostile"].samples])

    def test_the_file_has_no_time_in_it(self):
        for name, data in self.packed.items():
            self.assertEqual(data[:4] + data[4:8], b"\x1f\x8b\x08\x00" + bytes(4), name)

    def test_folded_and_pprof_agree(self):
        for name in CASES:
            lines = (self.folder / f"{name}.folded").read_text(encoding="ascii").splitlines()
            read = {}
            for line in lines:
                stack, size = re.fullmatch(r"([^ ]+) ([0-9]+)", line).groups()
                read[stack] = read.get(stack, 0) + int(size)
            self.assertEqual(read, folded(self.pprof[name]), name)

    # SVG

    def frames(self, name):
        root = ElementTree.fromstring(self.svg[name])
        for group in root.iter(f"{SVG}g"):
            rect = group.find(f"{SVG}rect")
            yield ([float(rect.get(key)) for key in ("x", "y", "width")],
                   group.find(f"{SVG}title").text, group.find(f"{SVG}text"))

    def test_every_picture_is_well_formed_and_needs_nothing_else(self):
        for name, text in self.svg.items():
            root = ElementTree.fromstring(text)
            self.assertEqual(root.tag, f"{SVG}svg", name)
            self.assertEqual(root.find(f"{SVG}title").text, "Blocks that survived in <server> & client")
            self.assertNotIn("script", text, name)
            self.assertEqual(re.findall(r"https?://[^\"]*", text), ["http://www.w3.org/2000/svg"], name)

    def test_widths_are_bytes(self):
        width = {title.split("\n")[0]: box[2] for box, title, _ in self.frames("leak")}
        self.assertAlmostEqual(width["defect_state_new"] / width["SSL_SESSION_new"],
                               1920000 / 896000, delta=0.01)
        self.assertAlmostEqual(width["server"] + width["client"], 1172, delta=2)

    def test_tooltips_have_the_figures(self):
        titles = {title.split("\n")[0]: title for _, title, _ in self.frames("leak")}
        self.assertEqual(titles["defect_state_new"],
                         "defect_state_new\nserver/defect.c:41\n1.83 MiB in 60,000 blocks, 64.71 %")
        self.assertEqual(titles["conn_handshake"].split("\n")[1], "server/conn.c",
                         "two lines were added up")

    def test_no_frame_leaves_its_caller_and_none_overlaps(self):
        rows = {}
        for (x, y, width), _, _ in self.frames("many"):
            rows.setdefault(y, []).append((x, x + width))
        self.assertGreater(len(rows), 12)
        above = [(0, 1200)]
        for y in sorted(rows):
            spans = sorted(rows[y])
            for left, right in zip(spans, spans[1:]):
                self.assertLessEqual(left[1], right[0] + 0.02)
            for span in spans:
                self.assertTrue(any(a[0] - 0.02 <= span[0] and span[1] <= a[1] + 0.9 for a in above))
            above = spans

    def test_text_stays_in_its_frame(self):
        shown = 0
        for (x, _, width), _, text in self.frames("many"):
            if text is not None:
                letters = len("".join(text.itertext()))
                self.assertLessEqual(letters * 7.23 + 5, width, "".join(text.itertext()))
                shown += 1
        self.assertGreater(shown, 50)

    def test_what_is_too_narrow_is_counted(self):
        drawn = len(list(self.frames("many")))
        stacks = folded(self.pprof["many"])
        nodes = {tuple(key.split(";")[:i + 1]) for key in stacks for i in range(key.count(";") + 1)}
        said = re.search(r">([0-9,]+) frames narrower than half a pixel", self.svg["many"])[1]
        self.assertEqual(int(said.replace(",", "")), len(nodes) - drawn)
        self.assertNotIn("half a pixel", self.svg["leak"])

    # Names

    def test_no_name_is_asked_for_over_the_network(self):
        with socket.create_server(("127.0.0.1", 0)) as server, \
                tempfile.TemporaryDirectory() as home:
            port = server.getsockname()[1]
            environment = dict(os.environ, DEBUGINFOD_URLS=f"http://127.0.0.1:{port}/", HOME=home,
                               DEBUGINFOD_CACHE_PATH=home, DEBUGINFOD_TIMEOUT="1")
            found = subprocess.run([BUILD / "bin/test_symbol", "--symbol"], env=environment,
                                   capture_output=True, text=True, timeout=PATIENCE_S, check=True)
            self.assertRegex(found.stdout, r"^SSL_new  ")
            server.settimeout(0)
            with self.assertRaises(BlockingIOError):
                server.accept()


class DebugServer(http.server.ThreadingHTTPServer):
    """Debug information from a folder, as debuginfod(8) serves it; `asked` is what was asked for."""

    daemon_threads = True

    def __init__(self, folder):
        asked = self.asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=str(folder))

            def log_request(self, code="-", size="-"):
                asked.append(self.path)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Servers(unittest.TestCase):
    """Names from the servers of DEBUGINFOD_URLS: asked for with --debuginfod, and never without."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="soak-debug-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.library = self.folder / "libcase.so"
        notes = subprocess.run(["readelf", "-n", os.environ["SYMBOL_DEBUG"]], capture_output=True,
                               text=True, check=True).stdout
        build_id = re.search(r"Build ID: ([0-9a-f]+)", notes)[1]
        self.path = f"/buildid/{build_id}/debuginfo"
        served = self.folder / f"served{self.path}"
        served.parent.mkdir(parents=True)
        for options in (("--only-keep-debug", served), ("--strip-all", self.library)):
            subprocess.run(["objcopy", options[0], os.environ["SYMBOL_DEBUG"], options[1]], check=True)
        self.server = DebugServer(self.folder / "served")
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.environment = dict(os.environ, HOME=folder.name, XDG_CACHE_HOME=folder.name,
                                SOAK_ROOT=SOURCE,
                                DEBUGINFOD_URLS=f"http://127.0.0.1:{self.server.server_port}/")

    def name(self, ask, **more):
        return subprocess.run([BUILD / "bin/test_symbol", "--unnamed", self.library, ask],
                              env=dict(self.environment, **more), capture_output=True, text=True,
                              timeout=PATIENCE_S, check=True).stdout

    def test_what_the_machine_lacks_is_named_by_a_server_that_is_asked(self):
        self.assertRegex(self.name("no"), r"^libcase\.so\+0x")
        self.assertEqual(self.server.asked, [])
        self.assertRegex(self.name("ask"), r"^unnamed  \S*symbol_case\.c:\d+$")
        self.assertIn(self.path, self.server.asked)

    def test_a_server_that_has_nothing_takes_no_name_away(self):
        (self.folder / f"served{self.path}").unlink()
        self.assertRegex(self.name("ask"), r"^libcase\.so\+0x")
        self.assertIn(self.path, self.server.asked)

    def test_a_server_that_is_silent_is_left(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            self.assertRegex(self.name("ask", DEBUGINFOD_URLS=url, DEBUGINFOD_TIMEOUT="1"),
                             r"^libcase\.so\+0x")

    def soak(self, *options, **more):
        return subprocess.run([BUILD / "bin/soak", "--conns=2", "--churn=max", "--closed=700",
                               "--defect=lost-state", f"--results={self.folder}/runs", *options],
                              env=dict(self.environment, **more), capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)

    def test_a_run_asks_with_the_option_alone(self):
        self.assertEqual(self.soak("--quiet").returncode, 1)
        self.assertEqual(self.server.asked, [])
        done = self.soak("--debuginfod")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("soak: asking the servers of DEBUGINFOD_URLS for the server's symbols", done.stderr)
        self.assertRegex(self.server.asked[0], r"^/buildid/[0-9a-f]+/debuginfo$")

    def test_without_anybody_to_ask_the_option_is_refused(self):
        done = self.soak("--debuginfod", DEBUGINFOD_URLS="")
        self.assertEqual((done.returncode, done.stderr),
                         (2, "soak: --debuginfod: DEBUGINFOD_URLS is not set, so there is nobody to ask; "
                             "Debian's server: export DEBUGINFOD_URLS=https://debuginfod.debian.net\n"))
        self.assertFalse((self.folder / "runs").exists())


class DebugFiles(unittest.TestCase):
    """The files that a library's own debug information may lie in: it names them itself."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="soak-debug-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.library = self.folder / "libcase.so"

    def copy(self, *options, to=None):
        """The library, without its build ID: then a file is known by the check sum of its bytes."""
        subprocess.run(["objcopy", "--remove-section=.note.gnu.build-id", *options, os.environ["SYMBOL_DEBUG"],
                        to or self.library], check=True)

    def link(self, real=True):
        """Names `dbg` in the library, whose debug information has gone there."""
        self.copy("--only-keep-debug", to=self.folder / "dbg")
        self.copy("--strip-all", f"--add-gnu-debuglink={self.folder / 'dbg'}")
        if not real:
            (self.folder / "dbg").unlink()

    def name(self):
        environment = {key: os.environ[key] for key in os.environ if key != "DEBUGINFOD_URLS"}
        return subprocess.run([BUILD / "bin/test_symbol", "--unnamed", self.library, "no"], env=environment,
                              capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout

    NAMED, UNNAMED = r"^unnamed  \S*symbol_case\.c:\d+$", r"^libcase\.so\+0x"

    def test_a_regular_one_is_read(self):
        self.link()
        self.assertRegex(self.name(), self.NAMED)

    def test_a_fifo_is_not_waited_for(self):
        self.link(real=False)
        for name in "dbg", ".debug/dbg":
            with self.subTest(name):
                path = self.folder / name
                path.parent.mkdir(exist_ok=True)
                os.mkfifo(path)
                self.assertRegex(self.name(), self.UNNAMED)
                path.unlink()

    def test_nor_one_that_no_link_names(self):
        self.copy("--strip-all")
        os.mkfifo(self.folder / "libcase.so.debug")
        self.assertRegex(self.name(), self.UNNAMED)

    def test_a_device_without_end_is_not_read(self):
        self.link(real=False)
        (self.folder / "dbg").symlink_to("/dev/zero")
        self.assertRegex(self.name(), self.UNNAMED)

    def test_nor_a_hole_of_terabytes(self):
        self.link(real=False)
        with open(self.folder / "dbg", "wb") as hole:
            hole.truncate(1 << 40)
        self.assertRegex(self.name(), self.UNNAMED)

    def test_a_fifo_that_the_debug_information_itself_names_is_not_waited_for(self):
        link, fifo = self.folder / "link", self.folder / "alt"
        link.write_bytes(os.fsencode(fifo.name) + b"\0" + bytes(range(20)))
        os.mkfifo(fifo)
        self.copy(f"--add-section=.gnu_debugaltlink={link}")
        self.assertRegex(self.name(), self.NAMED)


if __name__ == "__main__":
    unittest.main()
