"""Who writes messages: the services, the `ce_source` of each entry point, the `ce_actor` of each input."""

SERVICES = ("intake", "router", "notifier", "scorer")
INTAKE_SOURCE = "chorus/intake"
ROUTER_SOURCE = "chorus/router"
DESK_SOURCE = "chorus/desk"
RESIDENT = "resident"
DEPARTMENT = "department"
OPERATOR = "staff/operator"
"""Who may cause an input: `kind` or `kind/role`."""
DEPARTMENT_SOURCE = "departments/"
"""With the department's code behind it: the source of an input that came through the gate."""
