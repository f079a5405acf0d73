"""Files of residents and departments: cleaned in a process of their own, stored by content, served by expiring links.

No file is on Kafka, and nothing of what a file said about its maker or its place is stored: only cleaned files are.
"""
