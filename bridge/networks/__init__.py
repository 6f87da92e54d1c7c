"""What every network is built of that is somebody else's platform: its cards, windows, commands, threads and turns."""
