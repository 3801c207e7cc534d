"""From bytes to a grey film: headers, JPEG, PNG, DICOM, and the sandbox that decodes."""
