"""Time, memory and space."""
