"""Print the lowest versions that pyproject.toml allows, as constraints for pip: ``lowest.py EXTRA ...``.

Each ``>=`` becomes ``==``, so that pip refuses bounds that can't be had together instead of quietly going higher.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
requirements = {*project["dependencies"], *(line for extra in sys.argv[1:] for line in extras[extra])}
for requirement in sorted(requirements):
    name, _, lowest = re.sub(r"\[.*?\]", "", requirement).partition(">=")
    if not lowest:
        sys.exit(f"pyproject.toml: {requirement} has no lower bound")
    print(f"{name}=={lowest}")
