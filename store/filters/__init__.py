"""Conditions on pictures, and the SQL statements compiled from them."""
