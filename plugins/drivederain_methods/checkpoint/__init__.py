"""Any file that spandrel recognises, as a method: ``checkpoint:PATH``."""
