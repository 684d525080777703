"""Vector engines on servers: PostgreSQL with pgvector, and Milvus.

An engine has a copy of the vectors of a space and proposes candidates. The catalogue decides: scores are computed from
the vectors that are stored there, and what it does not have is never shown.
"""
