"""What became of drills, in the forms that people and programs read."""
