"""The routes of the HTTP API, one module per subject. They only translate between HTTP and the library."""
