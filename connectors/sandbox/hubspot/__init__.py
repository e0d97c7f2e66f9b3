"""HubSpot's wire over the sandbox CRM: what its documentation and specification say, and nothing else."""
