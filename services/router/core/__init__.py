"""The core: makes one decision for each input in `inquiries.inputs`."""
