"""The check-in kiosk: scanner, local agent, candidate screen."""
