"""The painters of subjects: each draws one thing with a pen in a colour."""
