"""What readers share: trees of arrays, matrices, text lines, scratch files."""
