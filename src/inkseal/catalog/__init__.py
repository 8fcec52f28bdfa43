"""Knows which models there are, brings them here whole and verified, and hands out only what was recorded."""
