"""Prints what redocly found, and fails if there is anything: a warning is enough."""

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text())
for problem in report["problems"]:
    print(f"{problem['ruleId']}: {problem['message']}")
print(f"{report['totals']['errors']} errors, {report['totals']['warnings']} warnings")
sys.exit(1 if report["problems"] else 0)
