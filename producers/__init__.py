"""What brings events in: the capture of Odoo, the webhook server, the clock. Siblings meet it through topics only."""
