"""A trained model: its folder, its network, and what its probabilities are worth."""
