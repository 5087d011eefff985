"""GIS in: layers, coordinates, terrain and the meshes made of them."""
