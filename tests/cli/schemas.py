# SPDX-License-Identifier: Apache-2.0
"""The schemas of results/schema, for the tests of what is written as JSON."""

import json
import pathlib

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "results/schema"
# jsonschema 3 (Ubuntu 22.04) knows no later draft than 7, which has all that these schemas use.
VALIDATOR = getattr(jsonschema, "Draft202012Validator", jsonschema.Draft7Validator)


def read_schema(name):
    return json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))


def strict(value):
    """The same schema, which refuses every key that it doesn't describe."""
    if isinstance(value, dict):
        value = {key: strict(inner) for key, inner in value.items()}
        if "properties" in value:
            value.setdefault("additionalProperties", False)
    return [strict(inner) for inner in value] if isinstance(value, list) else value
