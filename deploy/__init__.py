"""Everything that puts Chorus onto a machine: the local stack, provisioning, the sample city, the `chorus` command."""
