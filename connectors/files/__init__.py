"""A folder of exports as a CRM: for sales systems that can only write files."""
