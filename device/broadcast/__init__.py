"""What goes out to observers: sound, captions and picture, all of them equally late, and cut while they are held."""
