"""Clocks: calendars, working time, due times and verdicts. Pure: every time is an argument."""
