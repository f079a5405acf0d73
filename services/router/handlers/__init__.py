"""What the router does with each batch it reads: gate lets departments in, core decides, cases keeps the view."""
