"""Learns from labelled mail: campaigns kept together, collection dust refused, a linear model out, nothing pickled."""
