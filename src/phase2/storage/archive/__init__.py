"""PyTorch's archives, checked and described without PyTorch before anything in them is unpacked."""
