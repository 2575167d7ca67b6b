#!/usr/bin/env python3
"""Rewrites a template line by line, so that the rest of it stays as it is, comments included.

  .ci/rewrite.py unaliased <template.yaml    without the functions' aliases
"""

import re
import sys

ALIASES = {"AutoPublishAlias", "AutoPublishAliasAllProperties", "VersionDescription", "DeploymentPreference"}


def keyed(lines):
    """Yields each line with the keys that lead to it."""
    path = []
    for line in lines:
        indent, item, key = re.match(r"( *)(- )?(?:([\w:]+):(?= |$))?", line).groups()
        # An item may be indented no further than the key of its list.
        while line.strip() and path and (path[-1][0] > len(indent) or path[-1][0] == len(indent) and not item):
            path.pop()
        if key and not item:
            path.append((len(indent), key))
        yield [key for _, key in path], line


def unaliased(lines):
    """Leaves out the functions' aliases, and what is deployed by them."""
    return [line for path, line in keyed(lines) if not ALIASES.intersection(path)]


def functions(lines):
    """Returns each function's binary and folder, by its name in the template."""
    binaries, folders = {}, {}
    for path, line in keyed(lines):
        if path[-1:] == ["Binary"]:
            binaries[path[1]] = line.split()[1]
        elif path[-1:] == ["CodeUri"]:
            folders[path[1]] = line.split()[1]
    return {name: (binary, folders[name]) for name, binary in binaries.items()}


def released(lines, architecture):
    """Builds nothing, takes the code from the zips, and can't be deployed for another architecture than theirs."""
    built = functions(lines)
    values = {"AllowedValues": f"[{architecture}]", "Default": architecture}
    result = []
    for path, line in keyed(lines):
        [section, name, *_] = path + ["", ""]
        if section == "Resources" and name in built:
            if "Metadata" in path:
                continue
            if path[-1] == "CodeUri":
                line = re.sub(": .*", f": {built[name][0]}-{architecture}.zip", line)
        elif path[:2] == ["Parameters", "Architecture"] and path[-1] in values:
            line = re.sub(": .*", f": {values[path[-1]]}", line)
        result.append(line)
    return result


if __name__ == "__main__":
    if sys.argv[1:] != ["unaliased"]:
        sys.exit(__doc__)
    print("\n".join(unaliased(sys.stdin.read().split("\n"))), end="")
