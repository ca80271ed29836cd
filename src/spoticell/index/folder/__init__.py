"""An index as a folder of segments, each written once."""
