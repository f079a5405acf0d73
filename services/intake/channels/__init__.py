"""The ways in besides the form and the JSON routes: the gateways of channels."""
