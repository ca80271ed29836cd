"""Where cells of a corpus come from: files, downloads, SOMA, the Census."""
