#!/usr/bin/env python3
"""The adapt lane: lays each kind of order in tests/adapt over a copy of the tree, and runs the copy's tests.

    .ci/adapt.py [KIND…]

What it compiles stays in target/adapt, beside links to what the tree's own tests have compiled of other crates.
"""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
# The modules of the scenarios to run.
SCENARIOS = ("accepting::", "bad_requests::", "redelivery::", "stock::", "storm::")


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, **options)


def printed(*command, cwd=HOUSE):
    return run(*command, cwd=cwd, stdout=subprocess.PIPE).stdout


def files():
    """The tree's files, as they are now."""
    listed = printed("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return {name: (HOUSE / name).read_bytes() for name in listed if name and (HOUSE / name).is_file()}


def spliced(description, schemas):
    """The description with these schemas in place of its own kind's."""
    yours, theirs = "    # This kind of order: yours to edit.\n", "    # The same for every kind of order.\n"
    before, rest = description.split(yours)
    return before + yours + schemas + theirs + rest.split(theirs)[1]


def laid_over(tree, kind):
    """The tree with a kind of order; and how many files and lines the kind has."""
    folder = HOUSE / "tests/adapt" / kind
    if not folder.is_dir():
        sys.exit(f"there is no {folder}")
    tree, lines = dict(tree), []
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        name, content = file.relative_to(folder).as_posix(), file.read_bytes()
        if name == "left-out":
            continue
        lines.append(content.count(b"\n"))
        if name == "template.sed":
            edit = run("sed", "-f", str(file), input=tree["template.yaml"].decode(), stdout=subprocess.PIPE)
            if edit.stdout.encode() == tree["template.yaml"]:
                sys.exit(f"{file} changes nothing")
            tree["template.yaml"] = edit.stdout.encode()
        elif name == "events/openapi.yaml":
            tree[name] = spliced(tree[name].decode(), content.decode()).encode()
        else:
            tree[name] = content
    return tree, len(lines), sum(lines)


def write(tree, copy):
    """Makes the copy this tree. What is the same isn't written: cargo goes by the time of a change."""
    for old in [file for file in copy.rglob("*") if file.is_file()]:
        if old.relative_to(copy).as_posix() not in tree:
            old.unlink()
    for name, content in tree.items():
        file = copy / name
        if not file.is_file() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod((HOUSE / name).stat().st_mode if (HOUSE / name).exists() else 0o644)


def linked(source, target):
    """Begins with what is compiled already of crates that aren't this workspace's."""
    if target.is_dir() or not (source / "debug/deps").is_dir():
        return
    started = target.with_name("started")
    shutil.rmtree(started, ignore_errors=True)
    (started / "debug").mkdir(parents=True)
    for part in ("deps", "build", ".fingerprint"):
        run("cp", "-al", str(source / "debug" / part), str(started / "debug"))
    run("cargo", "clean", "-q", "--workspace", "--target-dir", str(started), cwd=HOUSE)
    started.rename(target)


def adapt(kind, tree, scratch):
    """Runs the tests of one kind; returns what it has to say."""
    tree, count, lines = laid_over(tree, kind)
    copy, target = scratch / "tree", scratch / "target"
    write(tree, copy)
    print(f"-- {kind}: {count} files, {lines} lines", flush=True)
    environment = os.environ | {"CARGO_TARGET_DIR": str(target), "CARGO_TERM_COLOR": "never"}

    def cargo(*command, **variables):
        run("cargo", *command, cwd=copy, env=environment | variables)

    cargo("test", "-q", "--locked", "--test", "contract", "samples", REGENERATE="1")
    build = ["cargo", "test", "--no-run", "--locked", "--lib", "--test", "contract", "--test", "scenarios"]
    built = subprocess.run(build, cwd=copy, env=environment, text=True, stderr=subprocess.PIPE)
    if built.returncode:
        sys.exit(built.stderr)
    unit = [copy / path for path in re.findall(r"unittests .*\((\S+/deps/(?:events|process)-\w+)\)", built.stderr)]
    if len(unit) != 2:
        sys.exit(f"not the unit tests of events and process: {unit}")
    exceptions = HOUSE / "tests/adapt" / kind / "left-out"
    left_out = [line for line in (exceptions.read_text().split("\n") if exceptions.exists() else ()) if line and line[0] != "#"]
    skipped = [word for name in left_out if "::" not in name for word in ("--skip", name)]
    for test in unit:
        run(str(test), "-q", *skipped, cwd=copy)
    cargo("test", "-q", "--locked", "--test", "contract")
    cargo("run", "-q", "--locked", "--bin", "sim", "--", "--seeds", "200")
    for module in SCENARIOS:
        if module not in left_out:
            cargo("test", "-q", "--locked", "--test", "scenarios", module)
    return f"{kind} ({count} files, {lines} lines)"


if __name__ == "__main__":
    metadata = json.loads(printed("cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"))
    target = Path(metadata["target_directory"])
    linked(target, target / "adapt/target")
    tree = files()
    kinds = sys.argv[1:] or sorted(folder.name for folder in (HOUSE / "tests/adapt").iterdir() if folder.is_dir())
    print("; ".join([adapt(kind, tree, target / "adapt") for kind in kinds]), "pass")
