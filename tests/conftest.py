"""For every test: no example fails for being slow; timings live in `parktwin bench`."""

from hypothesis import settings

settings.register_profile("parktwin", deadline=None)
settings.load_profile("parktwin")
