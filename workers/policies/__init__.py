"""Users' own rules and policies: what they are made with (`api`), and how a worker finds them (`loading`)."""
