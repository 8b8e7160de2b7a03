# SPDX-License-Identifier: Apache-2.0
"""sbom.py VERSION: an SPDX 2.3 document of soak, as JSON, on stdout: its files from git with their checksums and
licences, and the packages of scripts/needs.txt that it is built, run or tested with. Of a commit it is always the
same: its time is the commit's, or SOURCE_DATE_EPOCH."""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LICENCE = "Apache-2.0"
SPOKEN = re.compile(rb"SPDX-License-Identifier: ([A-Za-z0-9.+-]+)")
# By the group of scripts/needs.txt: what the package is to soak.
RELATIONS = {"run": "BUILD_DEPENDENCY_OF", "test": "TEST_DEPENDENCY_OF", "lint": "DEV_TOOL_OF",
             "ci": "TEST_DEPENDENCY_OF", "package": "BUILD_DEPENDENCY_OF"}
# The libraries that the programs are linked with, by the packages that have their headers.
LINKED = {"libssl-dev", "libuv1-dev", "libjemalloc-dev", "libinih-dev", "libjansson-dev", "libdw-dev", "zlib1g-dev",
          "libsqlite3-dev"}


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def checksum(kind, data):
    return {"algorithm": kind, "checksumValue": hashlib.new(kind.lower(), data, usedforsecurity=False).hexdigest()}


def spdx_id(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", lambda found: f"-{ord(found[0]):x}-", name)


def files():
    for name in sorted(git("ls-files", "-z").split("\0")[:-1]):
        path = ROOT / name
        data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        spoken = SPOKEN.search(data[:512])
        yield {"SPDXID": spdx_id("File", name), "fileName": f"./{name}",
               "checksums": [checksum("SHA1", data), checksum("SHA256", data)],
               "licenseConcluded": LICENCE, "copyrightText": "NOASSERTION",
               "licenseInfoInFiles": [spoken[1].decode() if spoken else "NOASSERTION"]}


def needs():
    """Each Debian package once, with the relation of its first group."""
    found = {}
    for line in (ROOT / "scripts/needs.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            _, _, package, group = line.split()
            found.setdefault(package, "DEPENDENCY_OF" if package in LINKED else RELATIONS[group])
    return found


def package(name, **more):
    return {"SPDXID": spdx_id("Package", name), "name": name, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
            "copyrightText": "NOASSERTION", **more}


def related(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def document(version):
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct"))
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    listed = list(files())
    sums = sorted(entry["checksums"][0]["checksumValue"] for entry in listed)
    code = hashlib.sha1("".join(sums).encode(), usedforsecurity=False).hexdigest()
    soak = package("soak", versionInfo=version, filesAnalyzed=True, licenseConcluded=LICENCE,
                   licenseDeclared=LICENCE, primaryPackagePurpose="APPLICATION",
                   packageVerificationCode={"packageVerificationCodeValue": code})
    others = {name: package(name, externalRefs=[{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                                 "referenceLocator": f"pkg:deb/debian/{name}"}])
              for name in needs()}
    relations = [related("SPDXRef-DOCUMENT", "DESCRIBES", soak["SPDXID"])]
    relations += [related(soak["SPDXID"], "CONTAINS", entry["SPDXID"]) for entry in listed]
    relations += [related(others[name]["SPDXID"], kind, soak["SPDXID"]) for name, kind in needs().items()]
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"soak-{version}", "documentNamespace": f"https://spdx.org/spdxdocs/soak-{version}-{code}",
            "creationInfo": {"created": created, "creators": ["Tool: soak-sbom"]},
            "packages": [soak, *others.values()], "files": listed, "relationships": relations}


if __name__ == "__main__":
    json.dump(document(sys.argv[1]), sys.stdout, indent=1)
    print()
