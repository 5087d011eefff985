"""Documents people hand in: PDF with Chinese text, pictures, tables and plain charts."""
