"""What every test shares: on a busy machine a slow example is no failure, so Hypothesis sets no time limit a case."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
