"""What other systems call: signed in by token, answered in their own formats."""
