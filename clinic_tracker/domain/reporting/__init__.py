"""What a report is: its columns with their definitions, its parameters, its head. Data and pure functions."""
