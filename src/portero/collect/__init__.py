"""Fetches evidence from remote sides; what it brings is evidence like any other, and never a judgement."""
