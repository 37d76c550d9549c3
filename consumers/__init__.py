"""What acts on events: the action runner, dead letters, lag, replay. Siblings meet it through topics only."""
