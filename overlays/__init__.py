"""What live data paints on a scene: energy heatmaps, KPIs, alarms."""
