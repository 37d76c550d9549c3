"""Proposals: what the assistant thinks, and how little of the business a model is told. Pure; nothing here can act."""
