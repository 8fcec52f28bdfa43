"""Small readable networks, and the noise schedules they are trained with. Each file needs torch when it is imported."""
