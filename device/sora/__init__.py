"""The broadcast: Sora signalling and the connection that publishes the programme."""
