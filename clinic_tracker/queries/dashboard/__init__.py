"""The figures of the dashboard, counted from what is stored: each module one question, in one statement or a few."""
