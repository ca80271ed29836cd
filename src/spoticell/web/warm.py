"""What the warm process loads, so that the processes split off from it have it at once.

Importing this module does the loading, because that is all that the fork server can be told to do.
"""

from __future__ import annotations

from spoticell.biology.ontology import load_ontology
from spoticell.model.bundle import DEFAULT, packaged_bundles
from spoticell.web import child
from spoticell.web.task import loaded

load_ontology()
if DEFAULT in packaged_bundles():
    vocabulary = loaded(DEFAULT).vocabulary
    READY = bool(vocabulary.exact and vocabulary.aliases and child)
