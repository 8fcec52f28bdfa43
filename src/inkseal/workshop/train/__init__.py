"""One training loop for every objective; it knows nothing of pictures or words."""
