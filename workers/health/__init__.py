"""Probes and metrics of one process, over HTTP: off unless an operator gives an address."""
