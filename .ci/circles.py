#!/usr/bin/env python3
"""Fails if files of a crate import each other in a circle, and names the circle.

An import is a path that starts at `crate` or `super`, outside of tests. A module and its submodules may use each other.
"""
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PATH = re.compile(r"\b(?:crate|super)(?:::\w+)*(?:::\{[^;]*?\}(?=;))?")


def leaves(path):
    """The paths of a use tree: `a::{b, c::{d, e}}` yields `a::b`, `a::c::d` and `a::c::e`."""
    stack, word, found = [""], "", []
    for part in re.findall(r"\w+|::|[{},]", path):
        if part == "{":
            stack.append(stack[-1] + word)
            word = ""
        elif part in "},":
            found += [stack[-1] + word] if word else []
            word = ""
            stack = stack[:-1] if part == "}" else stack
        else:
            word += part
    return found + ([stack[-1] + word] if word else [])


def modules(source):
    """The files of a crate by the paths of their modules; the root's is ()."""
    found = {}
    for file in source.rglob("*.rs"):
        path = file.relative_to(source).with_suffix("").parts
        if "bin" not in path and "tests" not in path:
            found[() if path in (("lib",), ("main",)) else path] = file
    return found


def imports(files):
    for module, file in files.items():
        code = re.split(r"#\[cfg\(test\)\]\s*mod \w+ \{", re.sub(r"//.*", "", file.read_text()))[0]
        for text in PATH.findall(code):
            for path in map(lambda leaf: leaf.split("::"), leaves(text)):
                above = path.count("super")
                target = (*module[: len(module) - above], *path[above:]) if above else tuple(path[1:])
                while target not in files:
                    target = target[:-1]
                shared = min(len(module), len(target))
                if module[:shared] != target[:shared]:
                    yield module, target


def circle(source):
    files = modules(source)
    graph = {}
    for module, target in imports(files):
        graph.setdefault(module, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " ← ".join(str(files[module]) for module in error.args[1])


if __name__ == "__main__":
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    manifests = subprocess.run(["git", "ls-files", "*Cargo.toml"], cwd=root, capture_output=True, text=True).stdout.split()
    sources = [root / manifest.replace("Cargo.toml", "src") for manifest in manifests]
    found = [it for it in map(circle, filter(Path.is_dir, sources)) if it]
    if found:
        sys.exit("\n".join(f"a circle: {it}" for it in found))
    print(f"no circle in {len(sources)} crates")
