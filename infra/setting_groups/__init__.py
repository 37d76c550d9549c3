"""What a process is told from outside, group by group: `infra.settings` puts them together and reads them."""
