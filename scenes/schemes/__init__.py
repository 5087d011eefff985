"""Planning schemes: read, stacked, judged against the rules, lit, drawn."""
