#!/usr/bin/env bash
# Has CELLxGENE's own validator look at what `annotate --cellxgene` writes: check_cellxgene.sh PYTHON
# Its libraries don't go with those of the tests, so it gets an environment of its own, .venv-cellxgene.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-.venv-test/bin/python} validator=${SPOTICELL_CELLXGENE:-.venv-cellxgene}
if [ ! -x "$validator/bin/cellxgene-schema" ]; then
    "$python" -m venv "$validator"
    "$validator/bin/python" -m pip install -q 'cellxgene-schema==7.1.2'
fi
SPOTICELL_CELLXGENE=$(realpath "$validator") exec "$python" -m pytest -q tests/annotation/test_cellxgene_validator.py
