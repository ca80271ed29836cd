"""Second of the three original commands: train on a folder of prepared data sets.

    python src/train_model.py --data_dir data/processed --output_dir models/spoticell_test

The same as ``spoticell train``, whose options it takes; ``--config original`` trains with the original's settings.
The trained bundle is ``best_model_f1`` in the output folder.
"""

from __future__ import annotations

import sys

from spoticell.cli.app import app
from spoticell.cli.console import prepare

if __name__ == "__main__":
    prepare()
    app(["train", *sys.argv[1:]], prog_name="train_model.py")
