"""The domain: scene graph, packs, live state, alarms, history, commands, access."""
