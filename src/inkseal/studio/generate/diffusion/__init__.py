"""Turns noise into data by a model that says how it should move: solvers, times, guidance. Knows no framework."""
