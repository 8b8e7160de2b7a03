# SPDX-License-Identifier: Apache-2.0
"""The mutants of a C source: each one place changed by one operator. Comments, strings, preprocessor
lines and tables of words are left alone; so are CHECKs, which no test may trip, and the bound of a choice
between the two that are compared (`a > b ? a : b`), where equals are the same. No array is made larger, on the stack
or by calloc(): nobody reads what is added, unless the file asks for its sizeof. What doesn't compile isn't counted."""

import collections
import re

Mutant = collections.namedtuple("Mutant", "path line at operator function source changed text")

# A comment, string or character, a directive and a CHECK: blanked, so that columns stay.
HIDDEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
                    r"|^[ \t]*#(?:\\\n|[^\n])*|\bCHECK\([^;]*\);", re.S | re.M)
# A choice between the two that are compared, or what one is more than the other, or how far they are apart.
OPERAND = r"[\w.\[\]>()-]+(?: [-+*] [\w.>-]+)?"
CHOICE = re.compile(rf"(?P<a>(?<![\w.>\])-]){OPERAND}) (?P<op>[<>]) (?P<b>{OPERAND}) \?\s+"
                    r"(?:(?P=a)\s+: (?P=b)|(?P=b)\s+: (?P=a)|(?P=a) - (?P=b)\s+: (?P=b) - (?P=a)"
                    r"|(?P=a) - (?P=b)\s+: 0|(?P=b) - (?P=a)\s+: 0)"
                    r"(?![\w.\[]| [-+*/<>])")

# The size of an array, and what its line begins with where it is declared; and the entries of an allocation.
ARRAY = re.compile(r"\b(?P<name>\w+)(?:\[\w+\])*\[(?P<size>\d+)\](?=[,;\[]| =)")
DECLARES = re.compile(r" +(?:static |const |long |unsigned )*(?!return|else|case|goto)(?:struct \w+|\w+) (?:.*, )?\*?")
ALLOCATED = re.compile(r"\bcalloc\((?:[\w>. -]+ \+ )?(?P<size>\d+), ")

# Operator, what is looked for, and by what each is replaced.
REPLACED = [
    ("relational", r"(?<![<>=!\-&|+*/%^])(<=|>=|<|>|==|!=)(?![<>=])",
     {"<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="]}),
    ("arithmetic", r"(?<=[\w)\]] )(\+|-|\*|/)(?= [\w(\-])", {"+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"]}),
    ("assignment", r"(?<= )(\+=|-=|\|=|&=)(?= )", {"+=": ["-="], "-=": ["+="], "|=": ["&="], "&=": ["|="]}),
    ("logical", r"(?<= )(&&|\|\|)(?= )", {"&&": ["||"], "||": ["&&"]}),
    ("step", r"(\+\+|--)", {"++": ["--"], "--": ["++"]}),
    ("boolean", r"\b(true|false)\b", {"true": ["false"], "false": ["true"]}),
]
NUMBER = re.compile(r"(?<![\w.])(\d+\.\d+|\d+)(?:[uUlLfF]*)(?![\w.])")
CONDITION = re.compile(r"\b(?:if|while) \(")
# A statement of its own: a call, an assignment or a jump, no declaration.
STATEMENT = re.compile(r"^ +(?!return [^;]|case\b|default\b|struct\b|static\b|const\b|enum\b|double\b|size_t\b|"
                       r"int\b|bool\b|uint\w+ |int\w+ |char\b|unsigned\b|do\b|else\b|if\b|for\b|while\b)"
                       r"([\w*(][^;{}]*;)$", re.M)
RETURN = re.compile(r"\breturn ((?!0;|NULL;|false;)[^;]+);")


def blanked(text):
    return HIDDEN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def in_functions(code):
    """Spans of the bodies of functions: between a `{` and a `}` that begin their lines."""
    spans, start = [], None
    for match in re.finditer(r"^[{}]", code, re.M):
        if match[0] == "{":
            start = match.end()
        elif start is not None:
            spans.append((start, match.start()))
            start = None
    return spans


def closing(code, opened):
    depth = 0
    for at in range(opened, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return -1


def numbers_near(word):
    if "." in word:
        return [f"({word} * 1.01)", f"({word} * 0.99)"]
    return [f"({word} + 1)", f"({word} - 1)"] if word != "0" else ["1"]


def sizes(code):
    """Where the sizes of arrays stand that no sizeof tells anyone."""
    for match in ARRAY.finditer(code):
        before = code[code.rfind("\n", 0, match.start()) + 1:match.start()]
        if DECLARES.fullmatch(before) and before.count("(") == before.count(")") and \
                before.count("{") == before.count("}") and not re.search(rf"\bsizeof \(?{match['name']}\b", code):
            yield match.start("size")
    yield from (match.start("size") for match in ALLOCATED.finditer(code))


def numbers(code, begin, end):
    """(from, to, replacement) of the constants."""
    unread = set(sizes(code))
    for match in NUMBER.finditer(code, begin, end):
        for after in numbers_near(match[1]):
            if match.start(1) not in unread or "+" not in after:
                yield match.start(1), match.end(1), after


def places(code, begin, end):
    """(operator, from, to, replacement) of everything that can be changed there."""
    part = code[begin:end]
    choices = {(match.start("op"), match["op"] + "=") for match in CHOICE.finditer(part)}
    for operator, pattern, by in REPLACED:
        for match in re.finditer(pattern, part):
            for after in by[match[1]]:
                if (match.start(1), after) in choices:
                    continue
                yield operator, begin + match.start(1), begin + match.end(1), after
    for at, to, after in numbers(code, begin, end):
        yield "constant", at, to, after
    for match in CONDITION.finditer(part):
        opened = begin + match.end() - 1
        closed = closing(code, opened)
        yield "negation", opened, closed + 1, f"(!{code[opened:closed + 1]})"
    for match in STATEMENT.finditer(part):
        yield "removal", begin + match.start(1), begin + match.end(1), ";"
    for match in RETURN.finditer(part):
        yield "return", begin + match.start(1), begin + match.end(1), "0"


def line_at(text, number):
    return text.split("\n", number)[number - 1].strip()


def mutants_of(path, text):
    """All mutants of a source, in the order of their places. `text` of each is the whole file."""
    code = blanked(text)
    found = []
    for begin, end in in_functions(code):
        for operator, at, to, after in places(code, begin, end):
            # What stands between may hold a string that was blanked.
            if operator == "negation":
                after = f"(!{text[at:to]})"
            line, changed = text.count("\n", 0, at) + 1, text[:at] + after + text[to:]
            found.append(Mutant(path, line, at, operator, text.count("\n", 0, begin) + 1,
                                line_at(text, line), line_at(changed, line), changed))
    return sorted(found, key=lambda m: (m.at, m.operator, m.changed))
