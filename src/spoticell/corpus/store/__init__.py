"""The corpus on disk: shards of counts and a table about their cells."""
