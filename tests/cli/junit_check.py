# SPDX-License-Identifier: Apache-2.0
"""Whether a JUnit file has the structure that its readers accept: what Jenkins' xunit plugin asks of a
junit-10 document (required attributes, types, the order and places of elements), and what GitLab
reads. Written from what the readers document."""

import re
import xml.etree.ElementTree as ElementTree

COUNT, TIME = r"\d+", r"\d+(\.\d{1,3})?"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
ANY = r"(?s).*"
# Element: required attributes, optional attributes, children, whether text may stand in it.
ELEMENTS = {
    "testsuites": ({}, {"name": ANY, "time": TIME, "tests": COUNT, "failures": COUNT,
                        "errors": COUNT}, {"testsuite"}, False),
    "testsuite": ({"name": r".+", "tests": COUNT, "failures": COUNT, "errors": COUNT},
                  {"time": TIME, "skipped": COUNT, "timestamp": STAMP, "hostname": r".+",
                   "id": ANY, "package": ANY, "file": ANY},
                  {"properties", "testcase", "system-out", "system-err"}, False),
    "properties": ({}, {}, {"property"}, False),
    "property": ({"name": r".+", "value": ANY}, {}, set(), False),
    "testcase": ({"name": r".+", "classname": r".+", "time": TIME}, {},
                 {"skipped", "error", "failure", "system-out", "system-err"}, False),
    "failure": ({"type": r".+", "message": r".+"}, {}, set(), True),
    "error": ({"type": r".+", "message": r".+"}, {}, set(), True),
    "skipped": ({"message": r".+"}, {"type": ANY}, set(), True),
    "system-out": ({}, {}, set(), True),
    "system-err": ({}, {}, set(), True),
}


def attribute_faults(element):
    required, optional, _, _ = ELEMENTS[element.tag]
    for name in required.keys() - element.attrib.keys():
        yield f"<{element.tag}> lacks {name}"
    for name, value in element.attrib.items():
        form = required.get(name) or optional.get(name)
        if form is None:
            yield f"<{element.tag}> has {name}, which no reader knows"
        elif not re.fullmatch(form, value):
            yield f"<{element.tag} {name}=\"{value}\"> is not of the form {form}"


def count_faults(suite):
    cases = suite.findall("testcase")
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        count = sum(case.find(tag) is not None for case in cases)
        if int(suite.get(name, count)) != count:
            yield f"{name} of {suite.get('name')} is not {count}"
    if int(suite.get("tests", -1)) != len(cases):
        yield f"tests of {suite.get('name')} is not {len(cases)}"
    names = [(case.get("classname"), case.get("name")) for case in cases]
    if len(set(names)) != len(names):
        yield f"two testcases of {suite.get('name')} have one name"


def faults_below(element):
    if element.tag not in ELEMENTS:
        yield f"<{element.tag}> is not of JUnit"
        return
    _, _, children, text = ELEMENTS[element.tag]
    yield from attribute_faults(element)
    if not text and (element.text or "").strip():
        yield f"text in <{element.tag}>"
    for place, child in enumerate(element):
        if child.tag not in children:
            yield f"<{child.tag}> in <{element.tag}>"
        if child.tag == "properties" and place != 0:
            yield "<properties> is not the first"
        if (child.tail or "").strip():
            yield f"text behind <{child.tag}>"
        yield from faults_below(child)
    if element.tag == "testcase" and sum(c.tag in ("failure", "error", "skipped") for c in element) > 1:
        yield f"testcase {element.get('name')} has two states"
    if element.tag == "testsuite":
        yield from count_faults(element)


def faults(path):
    """Sentences on what is wrong with the file; empty when nothing is."""
    root = ElementTree.parse(path).getroot()
    found = list(faults_below(root))
    if root.tag != "testsuites":
        found.append("the root is not <testsuites>")
    for name in ("tests", "failures", "errors"):
        if int(root.get(name, -1)) != sum(int(suite.get(name, 0)) for suite in root):
            found.append(f"{name} of <testsuites> is not the sum")
    return found
