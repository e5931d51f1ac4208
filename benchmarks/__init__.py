"""Measures what the design promises, each figure beside a reference measured in the same session."""
