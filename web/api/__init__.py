"""The routes, one module a subject. They translate; ranking, filtering and highlighting are the engine's work."""
