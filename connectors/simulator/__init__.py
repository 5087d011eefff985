"""A simulated field: values, people, vehicles, commands and incidents, in this process or over MQTT."""

from connectors.simulator.cast import Track
from connectors.simulator.climate import Site
from connectors.simulator.engine import Simulator, Step
from connectors.simulator.incidents import Script

__all__ = ["Script", "Simulator", "Site", "Step", "Track"]
