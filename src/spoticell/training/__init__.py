"""Training: from a folder of labelled cells to a bundle.  Needs ``pip install 'spoticell[train]'``."""
