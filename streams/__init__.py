"""What turns events into measures and alerts: pure processors, the transactional engine, and the Faust app around it."""
