"""What many films tell together: statistics, exports, reports."""
