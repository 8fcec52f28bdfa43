"""Data, training, alignment, compression and publishing of models."""
