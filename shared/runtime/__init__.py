"""What every process needs: settings, passwords, logging, metrics, timestamps, languages, tasks."""
