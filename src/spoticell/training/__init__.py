"""Training: from a folder of labelled cells to a bundle.  Needs the extra ``train``."""
