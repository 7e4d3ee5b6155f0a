"""What an evidence pack holds: a fixed number of statements, whatever the number of patients."""
