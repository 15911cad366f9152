"""The front door. Written in full by the next commits."""
