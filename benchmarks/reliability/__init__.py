"""What breaks Spoticell, and what doesn't."""
