"""Turns finished runs into models that are served: exported, proved to answer as they were trained, described."""
