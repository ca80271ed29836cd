"""Training corpora: data sets fetched, and brought to one form.

``download`` fetches files, ``original`` knows the seven data sets that Spoticell began with,
``prepare`` brings labelled data sets of any format to one form to train on.
"""
