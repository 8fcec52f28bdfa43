"""The checks, and the story's ways of applying them."""
