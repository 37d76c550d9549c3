"""The decisions of the consumers, pure: alert to actions, lag verdicts."""
