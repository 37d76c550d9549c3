"""The measures, pure: routing, the processors, their alerts. No clock, no I/O; time is an event."""
