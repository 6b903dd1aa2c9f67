"""One robot and its cloud on one computer: the live view, the scripted conversation, and the evidence."""
