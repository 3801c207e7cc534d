"""A reader's opinion on a film: claim, form, time, draft and signature."""
