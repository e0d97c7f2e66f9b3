"""Salesforce's wire over the sandbox CRM: what its documentation says, and nothing else."""
