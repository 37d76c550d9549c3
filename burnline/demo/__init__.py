"""The demo: the whole product on real parts in one terminal, with a proof at the end that every measure is right."""
