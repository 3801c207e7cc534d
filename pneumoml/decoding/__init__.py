"""Decodes bytes to a grey film: headers, JPEG, PNG, DICOM, and the sandbox."""
