"""Plots as SVG, drawn by pure functions and read without any script."""
