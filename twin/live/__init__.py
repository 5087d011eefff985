"""The live core: columns of what every point says now, alarms, tracks and frames."""
