"""The field over MQTT 5: our own topics, anybody's JSON by a declared mapping, Sparkplug B (`connectors.mqtt.sparkplug`)."""

from connectors.mqtt.line import Broker
from connectors.mqtt.mapped import MappedMqttConnector
from connectors.mqtt.own_topics import MqttConnector

__all__ = ["Broker", "MappedMqttConnector", "MqttConnector"]
