"""Settings, and the data that regulations change (procedures, texts, codes, the shared look)."""
