"""Look inside a network: what its layers put out, and how its gradients and steps compare with its parameters."""
