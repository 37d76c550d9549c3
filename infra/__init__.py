"""What the packages share at their edges: settings, logging, Kafka and Odoo clients, the embedded servers, metrics."""
