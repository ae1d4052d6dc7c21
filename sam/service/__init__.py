"""The Twisted shell around Sam: intake, group commit, outbox, admin socket."""
