"""Inline SVG, drawn here: geometry in attributes, color in classes, the same in words and in a table beside it."""
