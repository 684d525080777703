"""The command line: talks to people, and turns the library's errors into words and exit codes."""
