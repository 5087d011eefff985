"""What a place looks like: merge BIM and GIS, bind devices, compile to 3D Tiles."""
