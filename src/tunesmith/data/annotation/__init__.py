"""What people are asked about rows and what they may answer; which row is asked about next.

Nothing here knows of files or models. Places in texts count code points, the end is exclusive.
"""
