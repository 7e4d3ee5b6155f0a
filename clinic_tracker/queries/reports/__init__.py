"""The reports: each module answers one question with lines, in one snapshot of the database."""
