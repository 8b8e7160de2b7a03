# SPDX-License-Identifier: Apache-2.0
"""A folder that apt takes for a mirror of Debian, with tiny packages made here."""

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile


def run(*arguments, **options):
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)


def architecture():
    return subprocess.run(["dpkg", "--print-architecture"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()


def missing_tools():
    return [tool for tool in ("apt-get", "apt-cache", "dpkg-deb", "cc") if not shutil.which(tool)]


def make_library(path, soname, source="int tiny(void) { return 1; }\n", *options):
    """A shared library without any more than it is told to have."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    run("cc", "-shared", "-fPIC", "-nostdlib", f"-Wl,-soname,{soname}", "-x", "c", "-", "-x", "none",
        "-o", path, *options, input=source.encode())


def make_deb(folder, package, version, tree, depends=None):
    """Packs `tree` (path in the package -> path of a file, or its text). Returns the file's path."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        os.chmod(work, 0o755)
        os.mkdir(work + "/DEBIAN")
        with open(work + "/DEBIAN/control", "w", encoding="ascii") as control:
            control.write(f"Package: {package}\nVersion: {version}\n"
                          f"Architecture: {architecture()}\nMaintainer: nobody <nobody@localhost>\n"
                          + (f"Depends: {depends}\n" if depends else "") +
                          "Description: a test\n")
        for name, content in tree.items():
            os.makedirs(os.path.dirname(f"{work}/{name}"), exist_ok=True)
            if os.path.isdir(content):
                shutil.copytree(content, f"{work}/{name}", symlinks=True)
            elif os.path.exists(content):
                shutil.copy(content, f"{work}/{name}")
            else:
                with open(f"{work}/{name}", "w", encoding="ascii") as file:
                    file.write(content)
        path = f"{folder}/{package}_{version.replace(':', '%3a')}_{architecture()}.deb"
        run("dpkg-deb", "--root-owner-group", "-Znone", "-b", work, path)
    return path


def write_deb(folder, package, version, data, control=None):
    """A package file of these two archives, gzipped; by default the control fields are plain ones."""
    honest = io.BytesIO()
    with tarfile.open(fileobj=honest, mode="w:gz") as tar:
        text = (f"Package: {package}\nVersion: {version}\nArchitecture: {architecture()}\n"
                "Maintainer: nobody <nobody@localhost>\nDescription: a test\n").encode()
        fields = tarfile.TarInfo("./control")
        fields.size = len(text)
        tar.addfile(fields, io.BytesIO(text))
    path = f"{folder}/{package}_{version}_{architecture()}.deb"
    with open(path, "wb") as file:
        file.write(b"!<arch>\n")
        for name, content in (("debian-binary", b"2.0\n"), ("control.tar.gz", control or honest.getvalue()),
                              ("data.tar.gz", data)):
            file.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
            file.write(content + b"\n" * (len(content) % 2))
    return path


def bare_tar(name, content="", link=None):
    """A gzipped archive of one file or link, without entries for the folders above it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        if link:
            member.type, member.linkname = tarfile.SYMTYPE, link
        member.size = 0 if link else len(content)
        tar.addfile(member, io.BytesIO(content.encode()))
    return out.getvalue()


def make_bomb(folder, package, part, gib):
    """A small package file whose `part`, "control" or "data", unpacks to so many GiB of zeros."""
    block = 64 << 20
    header = tarfile.TarInfo("big")
    header.size = gib << 30
    zeros = gzip.compress(bytes(block))
    big = gzip.compress(header.tobuf(tarfile.GNU_FORMAT)) + zeros * ((gib << 30) // block)
    return write_deb(folder, package, "1", big if part == "data" else bare_tar("nothing"),
                     big if part == "control" else None)


class Mirror:
    """dists/ and pool/ below a folder; `publish` writes the lists of a pocket."""

    def __init__(self, folder):
        self.folder = folder
        self.packages = {}
        os.makedirs(folder + "/pool")

    def add(self, pocket, package, version, tree, depends=None):
        path = make_deb(self.folder + "/pool", package, version, tree, depends)
        with open(path, "rb") as file:
            content = file.read()
        self.packages.setdefault(pocket, []).append(
            f"Package: {package}\nVersion: {version}\nArchitecture: {architecture()}\n"
            + (f"Depends: {depends}\n" if depends else "") +
            f"Filename: pool/{os.path.basename(path)}\nSize: {len(content)}\n"
            f"SHA256: {hashlib.sha256(content).hexdigest()}\nDescription: a test\n")
        return path

    def publish(self, pocket):
        text = "".join(entry + "\n" for entry in self.packages.get(pocket, [])).encode()
        name = f"main/binary-{architecture()}/Packages"
        dists = f"{self.folder}/dists/{pocket}"
        os.makedirs(os.path.dirname(f"{dists}/{name}"), exist_ok=True)
        with open(f"{dists}/{name}", "wb") as file:
            file.write(text)
        with open(f"{dists}/Release", "w", encoding="ascii") as file:
            file.write(f"Origin: Debian\nLabel: Debian\nSuite: {pocket}\nCodename: {pocket}\n"
                       "Date: Sat, 21 Nov 2026 00:00:00 UTC\n"
                       + ("NotAutomatic: yes\n" if pocket == "experimental" else "") +
                       f"Architectures: {architecture()}\nComponents: main\nSHA256:\n"
                       f" {hashlib.sha256(text).hexdigest()} {len(text)} {name}\n")


def add_openssl(mirror, pocket, version, libraries, headers, runtime="libssl3", depends=None):
    """libssl and libssl-dev of one version: `libraries` and `headers` as make_deb takes them."""
    mirror.add(pocket, runtime, version, libraries, depends)
    mirror.add(pocket, "libssl-dev", version, headers, f"{runtime} (= {version})")
