"""Formats in which results arrive: each parser turns bytes into messages, the inbox has them recorded."""
