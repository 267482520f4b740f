"""The forms in which a run is told, and what shows it while it goes on."""
