"""The limits of files. Intake and the desk enforce the same ones."""

FILE_BYTES_MAX = 10 * 1024 * 1024
"""A file as it is sent. The cleaned file may have twice as many bytes."""
CLEANED_BYTES_MAX = 2 * FILE_BYTES_MAX
FILES_PER_INQUIRY_MAX = 20
"""Files that the resident sends for one inquiry, and files of one part."""
INQUIRY_BYTES_MAX = 50 * 1024 * 1024
"""All files that the resident sends for one inquiry, as they are stored, and all files of one part."""
PIXELS_MAX = 50_000_000
"""The process that cleans such a picture takes half a gigabyte."""
WEBP_PIXELS_MAX = 25_000_000
"""The decoder of WebP needs twice as much memory."""
THUMBNAIL_SIDE = 320
PDF_PAGES_MAX = 1_000
NAME_CHARACTERS_MAX = 120
NAME_BYTES_MAX = 240
"""A name as UTF-8. File systems accept 255 bytes."""
