"""All that is drawn: the page about a run, pictures of cells, plots with matplotlib."""
