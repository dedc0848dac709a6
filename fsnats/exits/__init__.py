"""The exits: the ways by which this machine's connections to Binance leave, one or a pool of them."""
