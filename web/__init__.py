"""The site's console and every HTTP interface: check-in authority, signals, proctor log, playback."""
