"""What calls return: tables of metrics, histories, evaluations and predictions."""
