"""What was: readings and positions on disk, from the first second on, and back again."""
