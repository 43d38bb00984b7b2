"""Asking models to judge: prompts, replies, verdicts, juries."""
