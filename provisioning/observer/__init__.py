"""The web page people watch: what is known of each robot, how it reaches a browser, and the page itself."""
