"""The decisions of the producers, pure: rows to events, deliveries to events or rejections, ticks that are due."""
