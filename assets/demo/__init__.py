"""The sample park: code that writes a whole park folder from nothing."""

from assets.demo.make import make_park

__all__ = ["make_park"]
