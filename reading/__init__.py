"""What people say about films: reviews, worklist, adjudication, discordance, tags and notes."""
