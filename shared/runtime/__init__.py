"""What every process needs around its work: settings, logs, metrics, timestamps, languages, tasks."""
