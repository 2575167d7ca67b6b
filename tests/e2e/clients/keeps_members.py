"""The models that `openapi-generator` makes have all members of their schemas; the examples and a later version's answer survive them.

keeps_members.py DOCUMENT FOLDER, with the clients in FOLDER/python and FOLDER/rust.
"""

import json
import re
import sys
from datetime import datetime
from pathlib import Path

import yaml

document = yaml.safe_load(Path(sys.argv[1]).read_text())
folder = Path(sys.argv[2])
sys.path.insert(0, str(folder / "python"))
import openapi_client.models as python  # noqa: E402

schemas = document["components"]["schemas"]


def members(schema: dict) -> set[str]:
    if "$ref" in schema:
        return members(schemas[schema["$ref"].removeprefix("#/components/schemas/")])
    return set(schema.get("properties", {})).union(*map(members, schema.get("allOf", [])))


def in_python(name: str) -> set[str]:
    model = getattr(python, name, None)
    return set(getattr(model, f"_{name}__properties", []))


RUST = {
    name: set(re.findall(r'^ {4}#\[serde\(rename = "([^"]+)"', fields, re.MULTILINE))
    for file in (folder / "rust/src/models").glob("*.rs")
    for name, fields in re.findall(r"^pub struct (\w+) \{\n(.*?)^\}", file.read_text(), re.MULTILINE | re.DOTALL)
}


def plain(value):
    """Without members that are null, and with times as times."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value)
    return value


wrong, compared = [], 0
for name, schema in schemas.items():
    if expected := members(schema):
        compared += 1
        for language, found in (("Python", in_python(name)), ("Rust", RUST.get(name, set()))):
            if found != expected:
                wrong.append(f"{name} in {language}: lost {expected - found or 'nothing'}, added {found - expected or 'nothing'}")
for name, example in document["components"]["examples"].items():
    model = getattr(python, name)
    back = json.loads(model.from_json(json.dumps(example["value"])).to_json())
    if plain(back) != plain(example["value"]):
        wrong.append(f"the example {name} comes back as {back}")
later = {**document["components"]["examples"]["SettledOrder"]["value"], "status": "delivered", "reason": "too_late", "more": {}}
problem = {"type": "later", "title": "Later", "status": 429, "detail": "A kind of problem that is new."}
for name, answer in (
    ("GetOrder200Response", later),
    ("Outcomes", {"results": [later, problem]}),
    ("Results", {"accepted": 0, "results": [problem]}),
):
    try:
        getattr(python, name).from_json(json.dumps(answer))
    except ValueError as error:
        wrong.append(f"{name} of a later version can't be read: {error}")
print(*wrong, f"{compared} schemas compared with their models in Python and Rust, {len(wrong)} differences", sep="\n")
sys.exit(bool(wrong or not compared))
