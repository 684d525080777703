"""What every package may use: the exceptions, the settings, embedding spaces and the version."""

from core.telemetry import disable_telemetry

disable_telemetry()  # here, because `encoders`, which imports these libraries, imports this package first
