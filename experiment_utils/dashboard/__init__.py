"""The page that shows runs as they learn: a local web server, closed to all but its reader. viskit's successor."""
