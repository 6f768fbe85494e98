"""A user's file to typed rows and issues: ``read`` for files, ``from_frame`` for frames in memory."""

from vigilance.ingest.frames import from_frame
from vigilance.ingest.intake import Intake, Source
from vigilance.ingest.reading import read

__all__ = ["Intake", "Source", "from_frame", "read"]
