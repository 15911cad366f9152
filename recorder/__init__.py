"""Room cameras to ingested footage: capture, supervision, gaps."""
