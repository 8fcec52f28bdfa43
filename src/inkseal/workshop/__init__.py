"""Second story: models are made from licensed data."""
