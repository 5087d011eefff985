"""Files the product serves or starts from: viewer, packs, icons, words, the demo park."""
