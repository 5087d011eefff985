"""IFC in: entities, spatial structure, properties, geometry and georeference."""
