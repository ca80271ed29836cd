"""How labelled cells reach the network: supplies, batches, augmentation."""
