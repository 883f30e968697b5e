"""Pictures that pages show of real images, and the commands that make them."""
