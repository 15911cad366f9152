"""Simulated cameras and people. Speaks RTSP and HTTP like anybody else."""
