"""`interlock top`: the figures in a terminal, as they change."""
