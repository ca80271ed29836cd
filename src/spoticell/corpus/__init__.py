"""Labelled cells from many data sets, in one form."""
