# SPDX-License-Identifier: Apache-2.0
"""corpora.py FOLDER PROGRAMS: writes what each fuzz target begins with, the same each time, to
FOLDER/TARGET: what is in the tree, and what is made of it. PROGRAMS is where fuzz-documents is."""

import json
import pathlib
import re
import struct
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(SOURCE / "tests/integration"))
from starttls_peers import SCRIPTS  # pylint: disable=wrong-import-position

STAT = ("7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 900 1 2 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 "
        "17 1 0 0\n")
PROC = {
    "stat": STAT,
    "stat-ended": STAT.replace(" S ", " Z "),
    "status": "Name:\ta\nState:\tS (sleeping)\nNSpid:\t7\t1\nUid:\t0\t0\t0\t0\nThreads:\t3\nVmRSS:\t  100 kB\n"
              "RssAnon:\t 50 kB\nFDSize:\t64\n",
    "statm": "900 100 50 1 0 20 0\n",
    "schedstat": "18446744073709551615 12 3\n",
    "rollup": "1000-2000 ---p 00000000 00:00 0 [rollup]\nPss: 12 kB\nPrivate_Dirty: 3 kB\nAnonymous: 4 kB\n",
    "maps": "1000-2000 r--p 00000000 fe:00 1 /usr/lib/libcrypto.so.3\n2000-9000 r-xp 00001000 fe:00 1 "
            "/usr/lib/libcrypto.so.3\n9000-a000 r-xp 0 00:00 0 [vdso]\nb000-c000 r-xp 00000000 fe:00 2 /a b (deleted)\n",
    "cgroup": "12:memory:/a/b\n4:cpu,cpuacct:/a\n0::/user.slice\n",
    "mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n31 23 0:27 /a /sys/fs/cgroup/memory rw shared:9 - "
                 "cgroup cgroup rw,memory\n",
    "limit": "max 100000\n", "limit-of-memory": "9223372036854771712\n",
    "tcp": "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 0 0 1234 1\n",
    "perf-map": "7f0000001000 1c8 void java.lang.String.x(int)\n7f0000001100 8 y\n",
}
HEAP = ("heap_v2/%s\n  t*: 3: 100 [0: 0]\n@ 0x5001 0x5002 0xffffffffffffffff\n  t*: 2: 96 [7: 8]\n  t0: 2: 96 [0: 0]\n"
        "@ 0x1003\n  t*: 1: 4 [0: 0]\n\nMAPPED_LIBRARIES:\n1000-2000 r-xp 00000000 fe:00 1 /usr/lib/libjemalloc.so.2\n")
UNITS = ["1k", "10_000", "64KiB", "2MiB", "1h30m", "250ms", "0s", "1000/s", "max", "60000/m", "20%", "0.5B/conn",
         "1/1000", "7f3a", "GET /\\r\\n\\x00\\\\", "127.0.0.1:0", "[::1]:443", "sh -c 'a {pid}' \"b\\\"c\"", "pass",
         "leak kind=side-allocation-lost site=server/defect.c", "conections", "1:3.0.17-1~deb12u2", "leak client"]
CONTROL = [b"ready port=4433 openssl=3.0\nquiet opened=9 closed=8 oldest=1\n",
           b"epoch opens=100 mix=1,0,99\nsettle id=18446744073709551615\nfinish\n",
           b"problem kind=lost behaviour=clean text=an open connection was lost: by peer\n" + b"x" * 1100,
           b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n"]
AGENT = [b"row at=0 weight=1 name=clean\nrow at=1 weight=0 name=failed\napp opened=9 closed=8 established=1\n"
         b"count at=0 epoch=3 begun=5 ended=4\ntimes count=3 max=900\nbucket at=7 n=3\nbeat\n",
         b"hello protocol=soak-agent/1 version=1.0 files=20000 name=a\nsay share=1 text=quiet opened=9 closed=8 oldest=1\n"
         b"gone share=0 status=1 text=client exited with status 1\n",
         b"welcome agent=1 of=2 silence=30\noption share=0 text=--conns=20\noption share=0 more=1 text=--say=a\nstart share=0\n"
         b"stamp epoch=4\ntell share=0 text=epoch opens=9\nend\n"]


RELAY = (b"beat\nwelcome agent=1 of=2 silence=30\noption share=0 text=--conns=20\noption share=0 more=1 text=--say=a\n"
         b"option share=0 text=b\noption share=31 text=--sni=x\nstart share=0\nstamp epoch=4\ntell share=0 text=epoch opens=9\n"
         b"start share=31\ntell share=0 text=quit\nrefused text=no\nend\n")

# Of an option that no agent takes: the name in two parts, the first of which is one that it does.
NAME_IN_PARTS = b"option share=0 more=1 text=--say\noption share=0 text=-no=1\nstart share=0\n"


def extension(number, content):
    return struct.pack(">HH", number, len(content)) + content


def client_hello(*extensions):
    """One record with a ClientHello that is the same each time."""
    rest = b"".join(extensions)
    hello = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x04\x13\x01\xc0\x2b" + b"\x01\0" + struct.pack(">H", len(rest)) + rest
    message = b"\x01" + len(hello).to_bytes(3, "big") + hello
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


SNI = extension(0, b"\0\x0c\0\0\x09localhost")
ALPN = extension(16, b"\0\x0c\x02h2\x08http/1.1")
GROUPS, SIGNATURES = extension(10, b"\0\x04\0\x1d\0\x17"), extension(13, b"\0\x04\x04\x03\x08\x04")
NEWER = extension(43, b"\x02\x03\x04") + extension(51, struct.pack(">HHH", 36, 0x1d, 32) + b"\x09" + bytes(31))
TICKET = extension(35, bytes(range(200)))
HELLOS = [client_hello(SNI, ALPN, GROUPS, SIGNATURES, NEWER), client_hello(SNI, GROUPS, SIGNATURES, TICKET),
          client_hello(GROUPS, SIGNATURES, extension(43, b"\x02\x03\x04"), extension(51, b"\0\0"))]


def instance(schema, root=None):
    """A document with everything that a schema describes."""
    root = root or schema
    if "$ref" in schema:
        return instance(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    for key in ("const", "enum", "anyOf", "oneOf"):
        if key in schema:
            value = schema[key] if key == "const" else schema[key][0]
            return value if key in ("const", "enum") else instance(value, root)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {key: instance(of, root) for key, of in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema["items"], root)] if "items" in schema else []
    return {"string": "a", "integer": schema.get("minimum", 1), "number": 0.5, "boolean": True}.get(kind)


def page(*words):
    """Of (table, word, value)."""
    return b"".join(struct.pack("<IQ", word * 32 + table, value) for table, word, value in words)


def scenarios():
    return [path.read_bytes() for path in sorted(SOURCE.glob("scenarios/**/*.soak"))]


def options():
    """A scenario as its command line."""
    for text in scenarios():
        words = re.findall(r"(?m)^(\w[\w-]*)\s*=\s*(.*)$", text.decode("utf-8"))
        yield "\n".join(f"--{key}={value}" for key, value in words).encode()


def library(folder):
    """A tiny one, as the compiler makes it."""
    path = folder / "tiny.so"
    subprocess.run(["cc", "-shared", "-nostdlib", "-s", "-Wl,-soname,libtiny.so.1,--build-id=none,-z,noseparate-code", "-x",
                    "c", "-o", path, "-"], input=b"int tiny(void);\nint tiny(void) { return 1; }\n", check=True)
    made = path.read_bytes()
    path.unlink()
    return made


def starttls():
    for which, script in enumerate(("postgres", "mysql", "smtp", "imap", "pop3", "ftp", "ldap", "xmpp"), 1):
        for end in (0, 1):  # the client hears what the server says
            said = b"".join(words[end] for words in SCRIPTS[script])
            for piece in (0, 255):
                yield bytes([2 * which + end, piece]) + said
    frames = bytes.fromhex("000000040000000000" "000003010500000001" "828784" "0000080600000000000000000000000000")
    yield b"\0\xff" + frames
    yield b"\x01\x03PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames


def documents(programs, folder):
    subprocess.run([programs / "fuzz-documents", folder], check=True)
    made = [path.read_bytes() for path in sorted(folder.glob("*.json"))]
    for path in folder.glob("*.json"):
        path.unlink()
    return made


def schema_of(name):
    return json.loads((SOURCE / f"results/schema/{name}.schema.json").read_text(encoding="utf-8"))


def corpora(folder, programs):
    return {
        "scenario": scenarios(),
        "options": options(),
        "units": [text.encode() for text in UNITS],
        "control": [b"\x07" + text for text in CONTROL] + [b"\xff" + text for text in CONTROL],
        "relay": [b"\x07" + RELAY, b"\xff" + RELAY, b"\xff" + NAME_IN_PARTS],
        "agent": [b"\x07" + text for text in AGENT] + [b"\xff" + text for text in AGENT],
        "page": [page((0, 5, 3), (7, 0, 1), (8, 0, 1), (8, 1, 1)), page((10, 0, 77), (10, 1, 5), (11, 0, 1)),
                 page((9, 33, 1), (9, 40, 1), (12, 0, 64), (13, 0, 1)), page((0, 5, 1 << 63), (0, 6, (1 << 64) - 1))],
        "proc": [text.encode() for text in PROC.values()],
        "document": documents(programs, folder),
        "suite": [json.dumps(instance(schema_of("soak-suite-1"))).encode()],
        "heap_dump": [(HEAP % sample).encode() for sample in (1, 524288)],
        "elf": [library(folder)],
        "starttls": starttls(),
        "hello": [bytes([piece]) + hello for hello in HELLOS for piece in (6, 255)],
        "tls": [bytes([how]) + hello for hello in HELLOS for how in (2, 3)] +
               [bytes([how, 9, 1, 60, 255, 200, 7]) for how in (0, 1)] +
               [bytes([4 | kind << 3 | how, 200, 0, 200, 1]) for how in (0, 1) for kind in range(5)],
    }


def main(folder, programs):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for target, inputs in corpora(folder, pathlib.Path(programs)).items():
        (folder / target).mkdir(exist_ok=True)
        for number, bytes_ in enumerate(inputs):
            (folder / target / f"seed-{number:03}").write_bytes(bytes_)


if __name__ == "__main__":
    main(*sys.argv[1:])
