"""Figures: what things cost, side by side with a bare loop. Nothing here passes or fails."""
