#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds nginx against a library of `soak libs`: for an OpenSSL that Debian has no nginx for yet.

    scripts/nginx-on-openssl.py --openssl 4.0.3 [--soak build/bin/soak] SOURCE

SOURCE is a folder with nginx's source (`apt-get source nginx` of sid, or a clone): 1.31.4 compiles against OpenSSL 4.0,
1.26.3 doesn't. It is built where it lies. Needs gcc, make, patchelf, libpcre2-dev and zlib1g-dev; the library must be in the
cache (`soak libs add debian:experimental/openssl`). Prints the program's path, which a run takes:

    soak run servers/nginx --server "SOURCE/nginx-4.0.3 -p {work} -c {work}/nginx.conf -g 'worker_processes 1;'"
"""

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = ("gcc", "make", "patchelf")


def run(*words, folder, log):
    with open(log, "a", encoding="utf-8") as out:
        if subprocess.run(words, cwd=folder, stdout=out, stderr=out, check=False).returncode != 0:
            sys.exit(f"nginx-on-openssl: {words[0]} failed: {log}")


def libraries(soak):
    listed = subprocess.run([soak, "libs", "--json"], capture_output=True, text=True, check=True)
    return json.loads(listed.stdout)["libs"]


def find(libs, part, name):
    for lib in libs:
        if lib["part"] == part and lib["name"] == name:
            return lib
    sys.exit(f"nginx-on-openssl: no {part} {name} in the cache; soak libs lists what there is")


def folder_of(lib, name):
    """The folder below the library's own that has this file."""
    found = sorted(glob.glob(f"{lib['path']}/**/{name}", recursive=True))
    if not found:
        sys.exit(f"nginx-on-openssl: {lib['path']} has no {name}")
    return os.path.dirname(found[0])


def build(openssl, source, log):
    """The program that make leaves."""
    configure = "./configure" if os.path.exists(source + "/configure") else "auto/configure"
    include = sorted({os.path.dirname(folder_of(openssl, "openssl/" + name)) for name in ("ssl.h", "opensslconf.h")})
    run(configure, "--with-http_ssl_module", "--with-cc-opt=-O2 -g " + " ".join("-I" + path for path in include),
        f"--with-ld-opt=-L{folder_of(openssl, 'libssl.so')} -Wl,--allow-shlib-undefined", folder=source, log=log)
    run("make", "-j2", folder=source, log=log)
    return source + "/objs/nginx"


def patch(program, openssl, libs, log):
    """Lets it find the library, and the libc that this needs, by itself."""
    paths = [folder_of(openssl, openssl["soname"][0])]
    words = []
    if openssl["libc"]:
        libc = find(libs, "libc", openssl["libc"])
        paths.append(folder_of(libc, "libc.so.6"))
        linker = glob.glob(f"{libc['path']}/**/ld-linux-*.so.*", recursive=True)[0]
        words = ["--set-interpreter", linker]
    run("patchelf", "--force-rpath", "--set-rpath", ":".join(paths), *words, program, folder="/", log=log)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--openssl", required=True)
    parser.add_argument("--soak", default=os.path.join(ROOT, "build/bin/soak"))
    parser.add_argument("source")
    asked = parser.parse_args()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        sys.exit(f"nginx-on-openssl: needs {', '.join(missing)}")
    libs = libraries(asked.soak)
    openssl = find(libs, "openssl", asked.openssl)
    source = os.path.abspath(asked.source)
    program = f"{source}/nginx-{asked.openssl}"
    shutil.copy(build(openssl, source, program + ".log"), program)
    patch(program, openssl, libs, program + ".log")
    print(program)


if __name__ == "__main__":
    main()
