"""Who writes messages: the names of the services, and the `ce_source` of each entry point."""

SERVICES = ("intake", "router", "notifier", "scorer")
INTAKE_SOURCE = "chorus/intake"
ROUTER_SOURCE = "chorus/router"
DESK_SOURCE = "chorus/desk"
DEPARTMENT_SOURCE = "departments/"
"""With the department's code behind it: the source of an input that came through the gate."""
