"""Who may come in and what they may do: passwords, sessions, the guard in front of every route."""
