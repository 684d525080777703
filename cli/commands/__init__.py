"""The commands of `sightline`: their arguments, options and help.

Each command collects its values and calls one function of a module in `cli`, which it imports only when it runs.
"""
