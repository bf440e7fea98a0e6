"""What a run is going to cost, told before it is paid."""
