"""The senders of messages: the services, the `ce_source` of each entry point, the `ce_actor` of each input."""

SERVICES = ("intake", "router", "notifier", "scorer")
INTAKE_SOURCE = "chorus/intake"
ROUTER_SOURCE = "chorus/router"
DESK_SOURCE = "chorus/desk"
RESIDENT = "resident"
DEPARTMENT = "department"
OPERATOR = "staff/operator"
"""The `ce_actor` of an input: `kind` or `kind/role`."""
DEPARTMENT_SOURCE = "departments/"
"""The `ce_source` of an input from the gate begins with this; the department's code follows."""
