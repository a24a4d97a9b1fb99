"""What the texts of a review tell: search, data issues ("quirks"), duplicates, scripts."""
