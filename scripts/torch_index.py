"""Say where pip finds torch without CUDA: an option for pip, or nothing.

On Linux the package index serves torch with several gigabytes of CUDA libraries.  The builds
for processors alone are on torch's own index, which some networks don't let through; pip would
try it for minutes, so it is asked once, and briefly, here.
"""

from __future__ import annotations

import sys
from urllib.error import URLError
from urllib.request import urlopen

INDEX = "https://download.pytorch.org/whl/cpu"


def main() -> None:
    """Print the option for pip."""
    if not sys.platform.startswith("linux"):
        return
    try:
        with urlopen(f"{INDEX}/torch/", timeout=5):
            print(f"--extra-index-url {INDEX}")
    except (URLError, OSError):
        return


if __name__ == "__main__":
    main()
