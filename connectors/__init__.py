"""How the field talks to the twin: MQTT, simulator."""
