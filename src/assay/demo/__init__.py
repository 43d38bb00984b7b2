"""The demo: property listings and contract clauses, two prompts, and a small real model that runs here."""
