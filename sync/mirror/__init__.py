"""What a CRM said: read, kept unfiltered, and watched for what no longer agrees."""
