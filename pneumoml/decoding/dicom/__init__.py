"""DICOM: file meta, header, pixels, and the record that is kept."""
