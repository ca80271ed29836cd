"""What genes, counts and cell types are: pure functions on arrays and tables."""
