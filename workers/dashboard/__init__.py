"""`interlock dashboard`: a small web page for those who want to see. It reads, and changes nothing."""
