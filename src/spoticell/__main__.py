"""``python -m spoticell``: the same as the ``spoticell`` command."""

from spoticell.cli.app import main

if __name__ == "__main__":
    main()
