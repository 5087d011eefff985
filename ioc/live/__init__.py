"""The live half of the server: the core's own thread, and the fan-out of its frames to browsers."""
