"""Other converters, each run in a process of its own: `parktwin bench` sets our figures beside theirs."""
