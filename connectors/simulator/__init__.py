"""A simulated field: values, people, vehicles, commands and incidents, in this process or over MQTT."""

from connectors.simulator.climate import Site
from connectors.simulator.engine import Simulator, Step
from connectors.simulator.of_park import read_walk, simulator_of, site_of
from connectors.simulator.publisher import Publisher

__all__ = ["Publisher", "Simulator", "Site", "Step", "read_walk", "simulator_of", "site_of"]
