"""Seals artifacts, records them, puts marks on exports and finds them again."""
