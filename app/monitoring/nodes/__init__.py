"""Municipal nodes: desired state, leases, batches."""
