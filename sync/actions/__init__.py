"""What partners do: taken in, and written to the CRM once."""
