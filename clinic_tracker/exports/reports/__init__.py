"""Reports as files: CSV, XLSX, JSON and PDF of the same lines, with the same checksum."""
