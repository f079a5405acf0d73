"""`chorus department`: the directory. `chorus inbox`: a department's two Kafka topics."""
