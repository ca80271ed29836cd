"""From a source of cells to answers."""
