"""The loopback network: a store-and-forward SMS network on a socket."""
