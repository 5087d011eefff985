"""Energy and water: what meters counted, who is under whom, what a place used, what was to be expected."""
