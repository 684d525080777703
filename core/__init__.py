"""What every package may use: the exceptions, the settings, embedding spaces and the version."""
