"""Other methods, trained and asked on the same cells."""
