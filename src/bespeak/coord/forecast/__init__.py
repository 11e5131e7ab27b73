"""Predicted conflicts: overlapping claims, declared operations, and what a change affects."""
