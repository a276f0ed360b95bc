"""Every byte that other programs read or write: pure pairs of pack and unpack."""
